"""Calls to measure: PyTorch's own operator and module samples, cast into calls of ATen overloads.

Three sources, in this order:
  direct    the arguments of op_db's samples, tried on every overload of the operator's name
  captured  what reached torch's C functions and the dispatcher while samples ran forward and
            backward (the arguments of batch_norm, _softmax, convolution_backward ...)
  guessed   arguments made up from the schema, for operators without any sample
A call is worth measuring if it runs; roles come from the schema, so a sample whose arguments mean
something else there is still an honest call.
"""

import re
import warnings

import torch

MAX_ELEMENTS = 200_000
PER_SOURCE = 24


def tensors_in(value):
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)


def map_tensors(value, fn):
    if isinstance(value, torch.Tensor):
        return fn(value)
    if isinstance(value, (list, tuple)):
        mapped = [map_tensors(item, fn) for item in value]
        return tuple(mapped) if type(value) is tuple else mapped
    if isinstance(value, dict):
        return {k: map_tensors(v, fn) for k, v in value.items()}
    return value


def usable(args):
    for t in tensors_in(list(args)):
        if type(t) not in (torch.Tensor, torch.nn.Parameter):
            return False
        if t.layout != torch.strided or t.is_quantized or t.device.type != "cpu":
            return False
        if t.dtype.is_complex or t.numel() == 0 or t.numel() > MAX_ELEMENTS:
            return False
    return True


def shape_key(value):
    """Calls with equal keys exercise autograd alike: arity, kinds, ranks, flags."""
    if isinstance(value, torch.Tensor):
        return ("T", value.dim(), value.dtype, value.is_contiguous())
    if isinstance(value, (list, tuple)):
        return ("L",) + tuple(shape_key(v) for v in value[:3])
    if isinstance(value, dict):
        return tuple((k, shape_key(v)) for k, v in sorted(value.items()))
    if isinstance(value, (bool, str)) or value is None:
        return value
    return type(value).__name__


class Pool:
    """Sample calls by operator name, without near-duplicates."""

    def __init__(self):
        self.calls = {}

    def add(self, name, args, kwargs, copy=True):
        kwargs = {k: v for k, v in kwargs.items() if k not in ("out",)}
        if not usable(list(args) + list(kwargs.values())):
            return
        bucket = self.calls.setdefault(name, {})
        if len(bucket) >= PER_SOURCE:
            return
        key = shape_key([list(args), kwargs])
        if key in bucket:
            return
        if copy:
            args, kwargs = map_tensors((tuple(args), kwargs), lambda t: t.detach().clone())
        bucket[key] = (tuple(args), kwargs)

    def get(self, name, limit=PER_SOURCE):
        return list(self.calls.get(name, {}).values())[:limit]


def operator_names(op):
    """The ATen base names that an OpInfo's samples may fit."""
    names = {op.name, op.aten_name, getattr(op, "formatted_name", op.name)}
    names |= {a.name for a in op.aliases}
    result = set()
    for name in names:
        name = name.replace("nn.functional.", "")
        result.add(name.replace(".", "_"))
        result.add(name.rpartition(".")[2])
    return result


def op_samples(progress):
    """(OpInfo, [(args, kwargs)]) of every operator, float32 where it can be."""
    from torch.testing._internal.common_methods_invocations import op_db

    for op in op_db:
        dtype = next((d for d in (torch.float32, torch.float64, torch.int64, torch.bool)
                      if d in op.dtypes), None)
        if dtype is None or op.name.startswith(("_refs", "ops.nvprims")):
            continue
        try:
            samples = []
            for sample in op.sample_inputs("cpu", dtype, requires_grad=False):
                samples.append(((sample.input, *sample.args), sample.kwargs))
                if len(samples) >= 60:
                    break
        except Exception as error:  # a sample function may need what is not installed
            progress(f"no samples of {op.name}: {error}")
            continue
        yield op, samples


class _Dispatch:
    """Records what reaches the dispatcher below autograd."""

    def __new__(cls, pool):
        from torch.utils._python_dispatch import TorchDispatchMode

        class Mode(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                name, overload = func._schema.name, func._schema.overload_name
                if name.startswith("aten::"):
                    full = name[6:] + ("." + overload if overload else "")
                    pool.add(full, args, kwargs or {})
                return func(*args, **(kwargs or {}))

        return Mode()


class _Functions:
    """Records the calls of torch's C functions and methods, composites included."""

    def __new__(cls, pool):
        from torch.overrides import TorchFunctionMode

        class Mode(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                name = getattr(func, "__name__", "")
                if name and not name.startswith("__"):
                    pool.add(name, args, kwargs or {})
                return func(*args, **(kwargs or {}))

        return Mode()


def capture(pool_functions, pool_dispatch, run):
    """Runs forward and backward of one call under both recorders."""
    for mode in (_Functions(pool_functions), _Dispatch(pool_dispatch)):
        try:
            with mode:
                outputs = run()
                total = [o for o in tensors_in(outputs) if o.requires_grad]
                if total:
                    torch.autograd.backward(total, [torch.randn_like(o) for o in total])
        except Exception:
            pass  # what ran before the error was recorded


def with_grad(value):
    return map_tensors(
        value, lambda t: t.detach().clone().requires_grad_(t.dtype.is_floating_point))


def pass_through_functional():
    """torch.nn.functional's Python functions hand themselves to a mode; let them run instead, so
    that the recorder sees the C functions which they call."""
    import torch.nn.functional as F

    for name in dir(F):
        if name.startswith("has_torch_function"):
            setattr(F, name, lambda *args: False)


def collect(progress):
    direct, functions, dispatched = Pool(), Pool(), Pool()
    pass_through_functional()
    torch.manual_seed(0)
    from torch.testing._internal.common_modules import module_db

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for op, samples in op_samples(progress):
            variants = [v for v in (op.get_inplace(), op.get_op()) if v is not None]
            for i, (args, kwargs) in enumerate(samples):
                for name in operator_names(op):
                    direct.add(name, args, kwargs)
                for variant in variants if i < 16 else ():
                    def run(variant=variant):
                        a, k = with_grad((args, kwargs))
                        if variant is op.get_inplace():
                            a = map_tensors(a, lambda t: t.clone())
                        return variant(*a, **k)
                    capture(functions, dispatched, run)
        for case in module_db:
            for training in (True, False):
                for run in module_runs(case, training, progress):
                    capture(functions, dispatched, run)
    return direct, functions, dispatched


def module_inputs(case, training):
    return case.module_inputs_func(case, device="cpu", dtype=torch.float32, requires_grad=False,
                                   training=training)


def module_runs(case, training, progress):
    try:
        inputs = list(module_inputs(case, training))[:4]
    except Exception as error:
        progress(f"no samples of {case.module_cls.__name__}: {error}")
        return
    for sample in inputs:
        def run(sample=sample):
            module = case.module_cls(*sample.constructor_input.args,
                                     **sample.constructor_input.kwargs).train(training)
            a, k = with_grad((sample.forward_input.args, sample.forward_input.kwargs))
            return module(*a, **k)
        yield run


# ---------------------------------------------------------------------------- guessed arguments

_INDEX = re.compile(r"index|indices|offsets|lengths|boundaries|repeats|pivots|target_lengths")
_BOOL = re.compile(r"mask|condition")


def guess_calls(schema):
    """A few argument lists made up from the schema; whichever runs is taken."""
    for shape in ((3, 3), (2, 3), (4,), (2, 3, 4), (2, 3, 4, 4), (1, 2, 4, 4, 4)):
        for variant in range(3):
            args, ok = [], True
            for i, a in enumerate(schema.arguments):
                value = _guess(schema, a, shape, variant)
                if value is NotImplemented:
                    ok = False
                    break
                args.append(value)
            if ok:
                yield bind_schema(schema, args)


def bind_schema(schema, values):
    args = [v for a, v in zip(schema.arguments, values) if not a.kwarg_only]
    kwargs = {a.name: v for a, v in zip(schema.arguments, values) if a.kwarg_only}
    return tuple(args), kwargs


def _guess_tensor(schema, a, shape, variant):
    if _BOOL.search(a.name):
        return torch.rand(shape) > 0.5
    if _INDEX.search(a.name):
        return torch.zeros(shape if variant == 0 else (2,), dtype=torch.int64)
    if a.name in ("weight", "bias", "running_mean", "running_var", "mean", "rstd", "invstd"):
        dims = shape if variant == 0 else (shape[1] if len(shape) > 1 else shape[0],)
        return torch.rand(dims) + 0.1
    if "vec" in a.name:
        return torch.rand(shape[-1:]) + 0.1
    return torch.rand(shape) * 0.8 + 0.1


def _guess(schema, a, shape, variant):
    if a.type == "Tensor":
        return _guess_tensor(schema, a, shape, variant)
    if a.type == "Tensor?":
        if variant == 2 or a.name == "generator":
            return None
        return _guess_tensor(schema, a, shape, variant)
    if a.type == "Tensor?[]":
        return [torch.zeros(2, dtype=torch.int64)]
    if a.type == "Tensor[]":
        return [_guess_tensor(schema, a, shape, variant) for _ in range(2)]
    if a.type.endswith("?"):
        return None
    sizes = [1] if variant == 0 else list(shape)
    simple = {
        "Scalar": (0.5, 2.0, 1)[variant], "float": (0.5, 1.0, 0.25)[variant],
        "int": (0, 1, 2)[variant], "SymInt": (0, 1, 2)[variant], "bool": variant == 1,
        "int[]": sizes, "SymInt[]": sizes, "float[]": [1.0, 1.0], "Scalar[]": [0.5, 0.5],
        "bool[]": [True, True, True], "str": "mean", "ScalarType": torch.float64,
        "Device": torch.device("cpu"), "MemoryFormat": torch.contiguous_format,
    }
    return simple.get(a.type, NotImplemented)
