"""Runs one operator overload on its samples and reads off what autograd did.

Saves. Each run lets exactly one argument require grad, so what the tape then holds is what the
gradient of that argument needs. A tensor on the tape counts as an argument or output if it has its
storage *and* its version counter (tried by writing to the argument and watching the counter): then
autograd throws when the argument is written before backward. Expanded, transposed or otherwise
viewed arguments count; copies do not.
"""

import warnings
import zlib

import torch

from .samples import bind_schema, guess_calls, map_tensors, tensors_in


class Unusable(Exception):
    """The sample does not fit the overload."""


def storage_of(t):
    try:
        return (t.untyped_storage() if hasattr(t, "untyped_storage")
                else t.storage()).data_ptr()
    except Exception:
        return 0


def content(t):
    """A copy of the bytes of the whole storage, whatever part of it the tensor shows."""
    storage = t.untyped_storage() if hasattr(t, "untyped_storage") else t.storage().untyped() \
        if hasattr(t.storage(), "untyped") else t.storage()._untyped()
    return torch.tensor([], dtype=torch.uint8).set_(storage).clone()


def write(t):
    with torch.no_grad():
        t.detach().zero_()


def shares_counter(t, other):
    before = other._version
    write(t)
    return other._version != before


def bind(schema, args, kwargs):
    """Argument values in schema order; absent ones are missing from the result."""
    values = {}
    if len(args) > len(schema.arguments):
        raise Unusable
    for i, value in enumerate(args):
        values[i] = value
    index = {a.name: i for i, a in enumerate(schema.arguments)}
    for name, value in kwargs.items():
        if name not in index or index[name] in values:
            raise Unusable
        values[index[name]] = value
    return values


def outputs_of(result, schema):
    """One entry per schema output: a tensor, a list of tensors, or None for what is no tensor."""
    count = len(schema.returns)
    if count == 0:
        return []
    if count == 1 and schema.returns[0].is_tensor and isinstance(result, tuple):
        raise Unusable  # a functional that was asked for indices too
    items = [result] if count == 1 else list(result)
    return [o if isinstance(o, torch.Tensor) else
            list(o) if isinstance(o, (list, tuple)) else None for o in items]


class Call:
    """One run of an overload: fresh arguments, chosen ones requiring grad as non-leaf tensors."""

    def __init__(self, op, schema, values, grad_slots, record=False, compare=False):
        self.leaves = {}
        self.values = dict(values)
        self.holds = []
        for i, value in values.items():
            if i in grad_slots:
                leaves = []

                def lift(t):
                    if not (t.dtype.is_floating_point or t.dtype.is_complex):
                        return t.detach().clone()
                    leaf = t.detach().clone().requires_grad_()
                    leaves.append(leaf)
                    return leaf.clone()

                self.values[i] = map_tensors(value, lift)
                self.leaves[i] = leaves
            else:
                self.values[i] = map_tensors(value, lambda t: t.detach().clone())
        self.contents = {i: [content(t) for t in tensors_in(v)]
                         for i, v in self.values.items()} if compare else {}
        self.versions = {i: [t._version for t in tensors_in(v)] for i, v in self.values.items()}
        args, kwargs = [], {}
        positional = True
        for i, a in enumerate(schema.arguments):
            if i not in self.values:
                positional = False
            elif positional and not a.kwarg_only:
                args.append(self.values[i])
            else:
                kwargs[a.name] = self.values[i]
        torch.manual_seed(1)
        self.packed = []
        if record:
            def pack(t):
                self.packed.append(t)
                return t

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
                result = op(*args, **kwargs)
        else:
            result = op(*args, **kwargs)
        self.result = result
        self.outputs = outputs_of(result, schema)

    def slots(self):
        return {i: list(tensors_in(v)) for i, v in self.values.items()}


def relation(out, call):
    """How one output tensor relates to the arguments: (kind, argument, owns its counter)."""
    for i, tensors in call.slots().items():
        if any(out is t for t in tensors):
            return "S", i, False
    pointer = storage_of(out)
    if pointer:
        for i, tensors in call.slots().items():
            for t in tensors:
                if storage_of(t) == pointer:
                    return "V", i, not shares_counter(t, out)
    return "F", -1, False


def measure_aliases(op, schema, values, facts):
    call = Call(op, schema, values, (), compare=True)
    for i, tensors in call.slots().items():
        for t, version, before in zip(tensors, call.versions[i], call.contents[i]):
            changed = not torch.equal(content(t), before)
            if t._version != version or changed:
                facts["writes"].setdefault(str(i), []).append(
                    [t._version != version, bool(changed)])
    for k, out in enumerate(call.outputs):
        many = isinstance(out, list)
        for t in (out if many else [out])[:1]:
            if isinstance(t, torch.Tensor):
                facts["relations"].setdefault(str(k), []).append(list(relation(t, call)))


def uncontiguous(value):
    """The same values with other strides: what a view of them may have to copy."""
    return map_tensors(value, lambda t: t.transpose(-1, -2).contiguous().transpose(-1, -2)
                       if t.dim() > 1 else t)


def measure_multi_view(op, schema, values, slot, facts):
    call = Call(op, schema, values, (slot,))
    for k, out in enumerate(call.outputs):
        t = out[0] if isinstance(out, list) and out else out
        if isinstance(t, torch.Tensor) and t._is_view() and t.requires_grad:
            try:
                t.add_(1)
            except RuntimeError as error:
                if "multiple views" in str(error):
                    facts["multi"].append(k)


def gradient(outputs, call):
    """'none' (no graph), 'zero', 'flows', 'notimpl', 'broken' (backward refuses what the operator
    itself overwrote) or 'error'."""
    outputs = [o for o in outputs if o.requires_grad]
    if not outputs:
        return "none"
    leaves = [l for ls in call.leaves.values() for l in ls]
    try:
        torch.manual_seed(2)
        grads = torch.autograd.grad(outputs, leaves, [torch.randn_like(o) for o in outputs],
                                    retain_graph=True, allow_unused=True)
    except NotImplementedError:
        return "notimpl"
    except RuntimeError as error:
        text = str(error)
        if "not implemented" in text or "not currently supported" in text:
            return "notimpl"
        if "modified by an inplace operation" in text:
            return "broken"
        return "error"
    nonzero = any(g is not None and bool((g != 0).any()) for g in grads)
    return "flows" if nonzero else "zero"


def measure_saves(op, schema, values, slot, facts):
    call = Call(op, schema, values, (slot,), record=True)
    contiguous = all(t.is_contiguous() for v in values.values() for t in tensors_in(v))
    flat = [(k, t) for k, out in enumerate(call.outputs)
            for t in (out if isinstance(out, list) else [out]) if isinstance(t, torch.Tensor)]
    if not flat and all(a.writes is False for a in schema.arguments):
        return
    slots = call.slots()
    written = {i for i, a in enumerate(schema.arguments) if a.writes and i in slots}
    if not schema.returns:  # _foreach_add_ and its kin return nothing
        flat = [(-1 - i, t) for i in sorted(written) for t in slots[i]]
    how = gradient([t for _, t in flat], call)
    per_output = {}
    for k, out in enumerate(call.outputs):
        ts = out if isinstance(out, list) else [out]
        ts = [t for t in ts if isinstance(t, torch.Tensor)]
        if ts:
            per_output[str(k)] = gradient(ts, call)
    # Counters are tried by writing, so this comes last.
    saved = set()
    pointers = [(p, storage_of(p)) for p in call.packed]
    for i, tensors in slots.items():
        for t in tensors:
            pointer = storage_of(t)
            same = [p for p, q in pointers if q == pointer and q]
            if not same:
                continue
            if any(p is t for p in same) or any(shares_counter(t, p) for p in same):
                alias = next((k for k, o in flat if k >= 0 and o is t), None)
                if i in written and how != "broken" and alias is not None:
                    saved.add(("o", alias))
                else:
                    saved.add(("i", i))
    inputs = {storage_of(t) for ts in slots.values() for t in ts}
    for k, t in flat:
        pointer = storage_of(t)
        if k < 0 or pointer in inputs:
            continue
        same = [p for p, q in pointers if q == pointer and q]
        if any(p is t for p in same) or any(shares_counter(t, p) for p in same):
            saved.add(("o", k))
    facts["runs"].append({
        "slot": slot, "how": how, "saved": sorted(saved), "outputs": per_output,
        "present": sorted(i for i, ts in slots.items() if ts), "contiguous": contiguous,
    })


def measure_call(op, schema, args, kwargs, facts):
    values = bind(schema, args, kwargs)
    Call(op, schema, values, ())  # does it run at all?
    facts["calls"] += 1
    measure_aliases(op, schema, values, facts)
    if any(relation[0] != "F" for seen in facts["relations"].values() for relation in seen):
        try:
            measure_aliases(op, schema, uncontiguous(values), facts)
        except Exception:
            pass  # view() refuses them
    slots = [i for i, v in values.items()
             if any(t.dtype.is_floating_point for t in tensors_in(v))]
    if not slots:  # imag(), view_as_real(): nothing but complex numbers will do
        slots = [i for i, v in values.items() if any(t.dtype.is_complex for t in tensors_in(v))]
    facts["floats"] += bool(slots)
    for slot in slots:
        try:
            measure_saves(op, schema, values, slot, facts)
        except Exception as error:
            facts["refused"].setdefault(str(slot), []).append(str(error).split("\n")[0][:160])
        try:
            measure_multi_view(op, schema, values, slot, facts)
        except Exception:
            pass


def new_facts(name):
    return {"name": name, "calls": 0, "relations": {}, "writes": {}, "multi": [], "runs": [],
            "refused": {}, "source": "", "floats": 0}


def measure_overload(op, schema, pools, limit=24):
    """All that the samples tell about one overload."""
    direct, functions, dispatched = pools
    facts = new_facts(schema.name)
    torch.manual_seed(zlib.crc32(schema.name.encode()))
    base = schema.base
    plain = base[:-1] if base.endswith("_") and not base.endswith("__") else base
    sources = [("captured", dispatched.get(schema.name)), ("captured", functions.get(base))]
    sources.append(("direct", direct.get(plain)))
    if plain != base:
        sources.append(("captured", functions.get(plain)))
        sources.append(("captured", dispatched.get(plain + schema.name[len(base):])))
    for prefix in ("linalg_", "special_", "fft_", "sparse_", "nested_"):
        sources.append(("direct", direct.get(prefix + plain)))
    if schema.name in direct.calls and schema.name != base:
        sources = [("recipe", direct.get(schema.name))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source, calls in sources:
            taken = 0
            for args, kwargs in calls:
                if taken >= limit:
                    break
                try:
                    measure_call(op, schema, args, kwargs, facts)
                    facts["source"] = facts["source"] or source
                    taken += 1
                except Exception:
                    continue
        if not facts["calls"] and not schema.base.startswith(("_cuda", "_c10d", "_cudnn")):
            for args, kwargs in guess_calls(schema):
                try:
                    measure_call(op, schema, args, kwargs, facts)
                    facts["source"] = "guessed"
                except Exception:
                    continue
                if facts["calls"] >= 3:
                    break
    return facts
