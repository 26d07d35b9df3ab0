"""torch::nn::functional functions that are no single operator: measured as wholes, through their
Python twins (the same compositions of the same operators), under the name "nn::functional::f"."""

import inspect

import torch.nn.functional

from .schemas import Argument, Schema
from .spellings import Spelling

PREFIX = "nn::functional::"


def rows(items, spellings, schemas):
    """The spellings of torch::nn::functional, and schema and callable of each whole."""
    wholes = {}
    for item in items:
        f = item.function
        s = Spelling("n", f.name, f.types, item.op, item.argument_of,
                     item.in_place_parameter, item.in_place_op)
        if not item.op:
            s = _whole(item, s, wholes, schemas)
            if s is None:
                continue
        spellings.setdefault(s.key(), s)
    return wholes


def _whole(item, s, wholes, schemas):
    f = item.function
    python = _twin(f.name)
    if python is None:
        return None
    try:
        signature = inspect.signature(_signature(f.name))
    except ValueError:
        # A built-in: Python knows it as the operator of that name, which the C++ function composes
        # by hand (linear, avg_pool1d).
        schema = schemas[f.name]
        names = [a.name for a in schema.arguments]
        s.op = f.name
        s.argument_of = [names.index(n) if n in names else -1 for n in f.names]
        return s
    names = list(signature.parameters)
    schema = Schema(PREFIX + f.name)
    for n in names:
        schema.arguments.append(Argument(n, "Tensor" if _is_tensor(f, n, signature) else "any", "",
                                         not _is_tensor(f, n, signature) or n in _OPTIONAL))
    schema.returns = [Argument("", "Tensor") for _ in range(
        2 if f.name.endswith("with_indices") or f.name == "multi_head_attention_forward" else 1)]
    wholes.setdefault(schema.name, (schema, python))
    s.op = schema.name
    s.argument_of = [names.index(n) if n in names else -1 for n in f.names]
    if item.in_place_parameter >= 0 and "inplace" in names:
        twin = Schema(PREFIX + f.name + "_", "", [Argument(**vars(a)) for a in schema.arguments],
                      [Argument("", "Tensor", "a!")])
        twin.arguments[0].alias = "a!"
        wholes.setdefault(twin.name, (twin, _in_place(python)))
        s.in_place_op = twin.name
    return s


_OPTIONAL = {"weight", "bias", "running_mean", "running_var", "bias_k", "bias_v", "in_proj_bias",
             "out_proj_bias", "key_padding_mask", "attn_mask", "q_proj_weight", "k_proj_weight",
             "v_proj_weight", "static_k", "static_v", "per_sample_weights", "pos_weight"}


def _is_tensor(f, name, signature):
    types = dict(zip(f.names, f.types))
    if name in types:
        return types[name] == "Tensor"
    annotation = str(signature.parameters[name].annotation)
    return "Tensor" in annotation and "Callable" not in annotation


def _twin(name):
    F = torch.nn.functional
    return getattr(F, name, None) or getattr(F, name + "_with_indices", None)


def _signature(name):
    """The function with named parameters: pooling with and without indices hides its own."""
    F = torch.nn.functional
    return getattr(F, name + "_with_indices", None) or getattr(F, name)


def _in_place(python):
    def run(*args, **kwargs):
        return python(*args, **{**kwargs, "inplace": True})
    return run
