"""Facts of the library modules: which there are, and with which boolean options, is read from the
C++ headers; what they hold and save is measured on their Python twins, which call the same
operators in the same order."""

import inspect
import pathlib
import re
import warnings
from dataclasses import dataclass, field

import torch

from .derive import saves_of, saves_text
from .measure import content, gradient, shares_counter, storage_of
from .samples import map_tensors, module_inputs, tensors_in, usable
from .spellings import strip_comments, matching

CONTAINERS = {"Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict",
              "Functional"}


# Their C++ forward passes false for inplace, whatever the option says; Python's writes in place.
# Observed on 1.13.1 and 2.15.0 (test/model/facts/observe.cpp asks each LibTorch that
# is built with again).
IGNORES_IN_PLACE = {"AlphaDropout", "FeatureAlphaDropout"}


def r(*shape):
    return torch.rand(*shape) * 0.8 + 0.1


def classes(*shape):
    return torch.randint(0, 3, shape)


# Constructor and forward arguments for modules without a case in module_db (1.13.1 has 38 cases).
RECIPES = {
    "AdaptiveLogSoftmaxWithLoss": lambda: ((8, 10, [4, 6]), (r(10, 8), torch.arange(10))),
    "AdaptiveAvgPool1d": lambda: ((2,), (r(2, 3, 8),)),
    "AdaptiveAvgPool2d": lambda: ((2,), (r(2, 3, 8, 8),)),
    "AdaptiveAvgPool3d": lambda: ((2,), (r(2, 3, 4, 4, 4),)),
    "AdaptiveMaxPool1d": lambda: ((2,), (r(2, 3, 8),)),
    "AdaptiveMaxPool2d": lambda: ((2,), (r(2, 3, 8, 8),)),
    "AdaptiveMaxPool3d": lambda: ((2,), (r(2, 3, 4, 4, 4),)),
    "AlphaDropout": lambda: ((), (r(4, 5),)),
    "AvgPool1d": lambda: ((2,), (r(2, 3, 8),)),
    "AvgPool2d": lambda: ((2,), (r(2, 3, 8, 8),)),
    "AvgPool3d": lambda: ((2,), (r(2, 3, 4, 4, 4),)),
    "BatchNorm1d": lambda: ((3,), (r(4, 3),)),
    "BatchNorm2d": lambda: ((3,), (r(2, 3, 4, 4),)),
    "BatchNorm3d": lambda: ((3,), (r(2, 3, 4, 4, 4),)),
    "BCELoss": lambda: ((), (r(4, 5), r(4, 5))),
    "BCEWithLogitsLoss": lambda: ((), (r(4, 5), r(4, 5))),
    "CELU": lambda: ((), (r(4, 5) - 0.5,)),
    "CosineEmbeddingLoss": lambda: ((), (r(4, 5), r(4, 5), torch.ones(4))),
    "CosineSimilarity": lambda: ((), (r(4, 5), r(4, 5))),
    "CrossEntropyLoss": lambda: ((), (r(4, 5), classes(4))),
    "CrossMapLRN2d": lambda: ((2,), (r(2, 3, 4, 4),)),
    "CTCLoss": lambda: ((), (r(6, 2, 5).log_softmax(2), torch.randint(1, 5, (2, 3)),
                             torch.tensor([6, 6]), torch.tensor([3, 3]))),
    "ConstantPad1d": lambda: ((1, 0.5), (r(2, 3, 4),)),
    "ConstantPad2d": lambda: ((1, 0.5), (r(2, 3, 4, 4),)),
    "ConstantPad3d": lambda: ((1, 0.5), (r(2, 3, 4, 4, 4),)),
    "Dropout": lambda: ((), (r(4, 5),)),
    "Dropout2d": lambda: ((), (r(2, 3, 4, 4),)),
    "Dropout3d": lambda: ((), (r(2, 3, 4, 4, 4),)),
    "ELU": lambda: ((), (r(4, 5) - 0.5,)),
    "Embedding": lambda: ((5, 3), (classes(4),)),
    "EmbeddingBag": lambda: ((5, 3), (classes(4, 2),)),
    "FeatureAlphaDropout": lambda: ((), (r(2, 3, 4, 4),)),
    "Flatten": lambda: ((), (r(2, 3, 4),)),
    "Fold": lambda: (((4, 4), (2, 2)), (r(1, 12, 9),)),
    "FractionalMaxPool2d": lambda: ((2, 3), (r(2, 3, 8, 8),)),
    "FractionalMaxPool3d": lambda: ((2, 2), (r(2, 3, 6, 6, 6),)),
    "GELU": lambda: ((), (r(4, 5) - 0.5,)),
    "GLU": lambda: ((), (r(4, 6),)),
    "GroupNorm": lambda: ((2, 4), (r(2, 4, 3, 3),)),
    "Hardshrink": lambda: ((), (r(4, 5),)),
    "Hardtanh": lambda: ((), (r(4, 5) * 4 - 2,)),
    "HingeEmbeddingLoss": lambda: ((), (r(4, 5), torch.ones(4, 5))),
    "HuberLoss": lambda: ((), (r(4, 5), r(4, 5))),
    "Identity": lambda: ((), (r(4, 5),)),
    "InstanceNorm1d": lambda: ((3,), (r(2, 3, 8),)),
    "InstanceNorm2d": lambda: ((3,), (r(2, 3, 4, 4),)),
    "InstanceNorm3d": lambda: ((3,), (r(2, 3, 4, 4, 4),)),
    "KLDivLoss": lambda: ((), (r(4, 5), r(4, 5))),
    "L1Loss": lambda: ((), (r(4, 5), r(4, 5))),
    "LayerNorm": lambda: ((5,), (r(4, 5),)),
    "LeakyReLU": lambda: ((), (r(4, 5) - 0.5,)),
    "LocalResponseNorm": lambda: ((2,), (r(2, 3, 4, 4),)),
    "LogSigmoid": lambda: ((), (r(4, 5),)),
    "LogSoftmax": lambda: ((1,), (r(4, 5),)),
    "LPPool1d": lambda: ((2, 2), (r(2, 3, 8),)),
    "LPPool2d": lambda: ((2, 2), (r(2, 3, 8, 8),)),
    "LPPool3d": lambda: ((2, 2), (r(2, 3, 4, 4, 4),)),
    "MarginRankingLoss": lambda: ((), (r(4), r(4), torch.ones(4))),
    "MaxPool1d": lambda: ((2,), (r(2, 3, 8),)),
    "MaxPool2d": lambda: ((2,), (r(2, 3, 8, 8),)),
    "MaxPool3d": lambda: ((2,), (r(2, 3, 4, 4, 4),)),
    "MaxUnpool1d": lambda: ((2,), torch.nn.functional.max_pool1d(
        r(2, 3, 8), 2, return_indices=True)),
    "MaxUnpool2d": lambda: ((2,), torch.nn.functional.max_pool2d(
        r(2, 3, 8, 8), 2, return_indices=True)),
    "MaxUnpool3d": lambda: ((2,), torch.nn.functional.max_pool3d(
        r(2, 3, 4, 4, 4), 2, return_indices=True)),
    "Mish": lambda: ((), (r(4, 5),)),
    "MSELoss": lambda: ((), (r(4, 5), r(4, 5))),
    "MultiLabelMarginLoss": lambda: ((), (r(4, 5), torch.tensor([[1, 2, -1, 0, 0]] * 4))),
    "MultiLabelSoftMarginLoss": lambda: ((), (r(4, 5), torch.ones(4, 5))),
    "MultiMarginLoss": lambda: ((), (r(4, 5), classes(4))),
    "MultiheadAttention": lambda: ((8, 2), (r(5, 2, 8), r(5, 2, 8), r(5, 2, 8))),
    "NLLLoss": lambda: ((), (r(4, 5).log_softmax(1), classes(4))),
    "PairwiseDistance": lambda: ((), (r(4, 5), r(4, 5))),
    "PixelShuffle": lambda: ((2,), (r(2, 4, 3, 3),)),
    "PixelUnshuffle": lambda: ((2,), (r(2, 1, 4, 4),)),
    "PoissonNLLLoss": lambda: ((), (r(4, 5), r(4, 5))),
    "PReLU": lambda: ((), (r(4, 5) - 0.5,)),
    "ReflectionPad1d": lambda: ((1,), (r(2, 3, 4),)),
    "ReflectionPad2d": lambda: ((1,), (r(2, 3, 4, 4),)),
    "ReflectionPad3d": lambda: ((1,), (r(2, 3, 4, 4, 4),)),
    "ReplicationPad1d": lambda: ((1,), (r(2, 3, 4),)),
    "ReplicationPad2d": lambda: ((1,), (r(2, 3, 4, 4),)),
    "ReplicationPad3d": lambda: ((1,), (r(2, 3, 4, 4, 4),)),
    "ReLU6": lambda: ((), (r(4, 5) * 9 - 2,)),
    "RNN": lambda: ((3, 4), (r(5, 2, 3),)),
    "LSTM": lambda: ((3, 4), (r(5, 2, 3),)),
    "GRU": lambda: ((3, 4), (r(5, 2, 3),)),
    "RNNCell": lambda: ((3, 4), (r(2, 3),)),
    "LSTMCell": lambda: ((3, 4), (r(2, 3),)),
    "GRUCell": lambda: ((3, 4), (r(2, 3),)),
    "RReLU": lambda: ((), (r(4, 5) - 0.5,)),
    "SELU": lambda: ((), (r(4, 5) - 0.5,)),
    "SiLU": lambda: ((), (r(4, 5),)),
    "SmoothL1Loss": lambda: ((), (r(4, 5), r(4, 5))),
    "SoftMarginLoss": lambda: ((), (r(4, 5), torch.ones(4, 5))),
    "Softmax": lambda: ((1,), (r(4, 5),)),
    "Softmax2d": lambda: ((), (r(2, 3, 4, 4),)),
    "Softmin": lambda: ((1,), (r(4, 5),)),
    "Softplus": lambda: ((), (r(4, 5),)),
    "Softshrink": lambda: ((), (r(4, 5) * 2,)),
    "Softsign": lambda: ((), (r(4, 5),)),
    "Tanh": lambda: ((), (r(4, 5),)),
    "Tanhshrink": lambda: ((), (r(4, 5),)),
    "Threshold": lambda: ((0.5, 0.0), (r(4, 5),)),
    "TransformerDecoder": lambda: ((torch.nn.TransformerDecoderLayer(8, 2, 16), 1),
                                   (r(5, 2, 8), r(6, 2, 8))),
    "TransformerEncoder": lambda: ((torch.nn.TransformerEncoderLayer(8, 2, 16), 1),
                                   (r(5, 2, 8),)),
    "TripletMarginLoss": lambda: ((), (r(4, 5), r(4, 5), r(4, 5))),
    "TripletMarginWithDistanceLoss": lambda: ((), (r(4, 5), r(4, 5), r(4, 5))),
    "Unflatten": lambda: ((1, (2, 3)), (r(4, 6),)),
    "Unfold": lambda: (((2, 2),), (r(2, 3, 4, 4),)),
    "Upsample": lambda: ((None, 2), (r(2, 3, 4, 4),)),
    "ZeroPad1d": lambda: ((1,), (r(2, 3, 4),)),
    "ZeroPad2d": lambda: ((1,), (r(2, 3, 4, 4),)),
    "ZeroPad3d": lambda: ((1,), (r(2, 3, 4, 4, 4),)),
}


def cxx_modules(include):
    """{module: {boolean option: default}} as the C++ headers declare them."""
    nn = pathlib.Path(include, "torch", "csrc", "api", "include", "torch", "nn")
    names = set()
    for header in sorted((nn / "modules").rglob("*.h")):
        text = strip_comments(header.read_text())
        names |= set(re.findall(r"(?<!>)\s\b(?:class|struct) (?:TORCH_API )?(\w+)Impl\b(?=[^;{]*\{)",
                                text))
    structs, aliases = {}, {}
    for header in sorted((nn / "options").glob("*.h")):
        text = strip_comments(header.read_text())
        for m in re.finditer(r"\bstruct (?:TORCH_API )?(\w+Options)\b[^;{]*\{", text):
            body = text[m.end():matching(text, m.end() - 1, "{}")]
            options = re.findall(r"TORCH_ARG\(bool, (\w+)\)(?: = (\w+))?;", body)
            structs.setdefault(m[1], {n: d == "true" for n, d in options})
        aliases.update(re.findall(r"\busing (\w+Options) = (?:\w+::)*(\w+)", text))

    def options_of(name):
        struct = name + "Options"
        while struct not in structs and struct in aliases:
            struct = aliases[struct]
        return structs.get(struct, {})

    return {n: options_of(n) for n in sorted(names) if n not in CONTAINERS and hasattr(torch.nn, n)}


@dataclass
class ModuleRow:
    name: str
    parameters: list = field(default_factory=list)  # (name, option, default)
    buffers: list = field(default_factory=list)
    writes_buffers: bool = False
    in_place: bool = False
    identity_in_eval: bool = False
    inputs: int = 1
    returns: str = "Tensor"
    output: str = "F"
    train: list = field(default_factory=list)
    eval: list = field(default_factory=list)
    in_place_saves: list = field(default_factory=list)
    known: bool = True


def constructions(name, cases):
    """(constructor args, kwargs, forward args, kwargs) of a module."""
    cls = getattr(torch.nn, name, None)
    result = []
    if name in RECIPES:
        args, forward = RECIPES[name]()
        result.append((args, {}, tuple(forward), {}))
    for case in cases:
        if case.module_cls is not cls:
            continue
        try:
            for s in list(module_inputs(case, True))[:8]:
                result.append((s.constructor_input.args, s.constructor_input.kwargs,
                               s.forward_input.args, s.forward_input.kwargs))
        except Exception:
            continue
    return cls, [c for c in result if usable([*c[2], *c[3].values()])
                 and not c[1].get("return_indices")]


def structure(value):
    if isinstance(value, torch.Tensor):
        return "Tensor"
    if isinstance(value, (tuple, list)):
        return "(" + ",".join(structure(v) for v in value) + ")"
    return "Tensor"  # an absent optional


class Run:
    """One forward of a fresh module; exactly one input or parameter requires grad."""

    def __init__(self, cls, construction, training, grad=None, in_place=False):
        args, kwargs, forward, forward_kwargs = construction
        kwargs = {k: v for k, v in kwargs.items() if k not in ("device", "dtype")}
        if in_place:
            kwargs = {**kwargs, "inplace": True}
        torch.manual_seed(3)
        self.module = cls(*args, **kwargs).float().train(training)
        self.parameters = list(self.module.parameters())
        self.buffers = list(self.module.buffers())
        for j, p in enumerate(self.parameters):
            p.requires_grad_(grad == -1 - j)
        self.leaves = {}
        names = list(inspect.signature(self.module.forward).parameters)
        self.inputs = {}

        def place(i, value):
            leaves = []

            def lift(t):
                if grad != i or not t.dtype.is_floating_point:
                    return t.detach().clone()
                leaf = t.detach().clone().requires_grad_()
                leaves.append(leaf)
                return leaf.clone()

            value = map_tensors(value, lift)
            if leaves:
                self.leaves[i] = leaves
            self.inputs[i] = list(tensors_in(value))
            return value

        values = [place(i, v) for i, v in enumerate(forward)]
        named = {n: place(names.index(n) if n in names else 99, v)
                 for n, v in forward_kwargs.items()}
        if grad is not None and grad < 0:
            self.leaves[grad] = [self.parameters[-1 - grad]]
        self.before = [content(b) for b in self.buffers]
        self.packed = []

        def pack(t):
            self.packed.append(t)
            return t

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            self.result = self.module(*values, **named)
        self.outputs = list(tensors_in(self.result if isinstance(self.result, (tuple, list))
                                       else [self.result]))

    def facts(self, slot):
        how = gradient(self.outputs, self)
        saved = set()
        pointers = [(p, storage_of(p)) for p in self.packed]

        def is_saved(t):
            pointer = storage_of(t)
            same = [p for p, q in pointers if q == pointer and q]
            return any(p is t for p in same) or any(shares_counter(t, p) for p in same)

        outputs = {storage_of(o) for o in self.outputs}
        inputs = {storage_of(t) for ts in self.inputs.values() for t in ts}
        for i, ts in self.inputs.items():
            for t in ts:
                if is_saved(t):
                    k = next((k for k, o in enumerate(self.outputs) if o is t), None)
                    saved.add(("i", i) if k is None or how == "broken" else ("o", k))
        for k, o in enumerate(self.outputs):
            if storage_of(o) not in inputs and is_saved(o):
                saved.add(("o", k))
        for kind, tensors in (("p", self.parameters), ("b", self.buffers)):
            for j, t in enumerate(tensors):
                if storage_of(t) not in outputs and is_saved(t):
                    saved.add((kind, j))
        return {"slot": slot, "how": how, "saved": sorted(saved),
                "present": list(self.inputs), "held": [
                    *(("p", j) for j in range(len(self.parameters))),
                    *(("b", j) for j in range(len(self.buffers)))]}


def measure_module(name, options, cases):
    cls, made = constructions(name, cases)
    row = ModuleRow(name, in_place="inplace" in options and name not in IGNORES_IN_PLACE)
    if cls is None or not made:
        row.known = False
        return row
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _members(row, cls, made[0], options)
        _given_members(row, cls, made)
        _behaviour(row, cls, made)
    return row


def _members(row, cls, construction, options):
    args, kwargs = construction[0], construction[1]
    accepted = inspect.signature(cls.__init__).parameters

    def build(**extra):
        k = {**{k: v for k, v in kwargs.items() if k not in ("device", "dtype")}, **extra}
        module = cls(*args, **k)
        return [n for n, _ in module.named_parameters()], [n for n, _ in module.named_buffers()]

    # With every option on, all that the module can hold, in its own order.
    switches = {o: d for o, d in options.items() if o in accepted or "kwargs" in accepted}
    switches.pop("inplace", None)
    deciding = {}
    for option in list(switches):
        try:
            on, off = build(**{option: True}), build(**{option: False})
        except Exception:
            switches.pop(option)
            continue
        for kind in (0, 1):
            for n in set(on[kind]) - set(off[kind]):
                deciding[(kind, n)] = option
    try:
        everything = build(**{o: True for o in set(deciding.values())})
    except Exception:
        everything = build()
    members = [[(n, deciding.get((kind, n), ""), options.get(deciding.get((kind, n), ""), True))
                for n in everything[kind]] for kind in (0, 1)]
    row.parameters, row.buffers = members


def _given_members(row, cls, made):
    """What a constructor is given as a tensor (a loss's weight) and registers as it stands."""
    accepted = inspect.signature(cls.__init__).parameters
    for args, kwargs, _, _ in made:
        module = cls(*args, **{k: v for k, v in kwargs.items() if k not in ("device", "dtype")})
        for items, members in ((module.named_parameters(), row.parameters),
                               (module.named_buffers(), row.buffers)):
            for n, _ in items:
                if n in accepted and n not in [m[0] for m in members]:
                    members.append((n, n, False))


def _behaviour(row, cls, made):
    shapes, relations = [], {True: [], False: []}
    runs = {True: [], False: [], "in-place": []}
    for construction in made:
        for training in (True, False):
            try:
                run = Run(cls, construction, training)
            except Exception:
                continue
            row.inputs = _required(cls)
            if training:
                shapes.append(structure(run.result))
                row.writes_buffers = row.writes_buffers or any(
                    not torch.equal(content(b), old) for b, old in zip(run.buffers, run.before)
                    if b.dtype.is_floating_point)
            first = run.outputs[0]
            relations[training].append(_relation(first, run))
            names = [n for n, _ in run.module.named_parameters()]
            slots = [i for i, ts in run.inputs.items() if i < 90 and any(
                t.dtype.is_floating_point for t in ts)] + [-1 - j for j in range(len(names))]
            for slot in slots:
                try:
                    facts = Run(cls, construction, training, slot).facts(slot)
                except Exception:
                    continue
                runs[training].append(_renumber(facts, names, run, row))
                if row.in_place and training:
                    try:
                        facts = Run(cls, construction, True, slot, in_place=True).facts(slot)
                        runs["in-place"].append(_renumber(facts, names, run, row))
                    except Exception:
                        pass
    runs = {k: [f for f in v if f is not None] for k, v in runs.items()}
    row.known = bool(runs[True] or runs[False] or shapes)
    if not shapes:
        return
    row.returns = max(set(shapes), key=shapes.count)
    both = set(relations[True]) | set(relations[False])
    if both == {"S"}:
        row.output = "S"
    elif both == {"V"}:
        row.output = "V"
    elif set(relations[True]) & {"S", "V"}:
        row.output = "M"
    row.identity_in_eval = set(relations[False]) == {"S"} and relations[True] != relations[False]
    row.train, row.eval = saves_of(runs[True]), saves_of(runs[False])
    row.in_place_saves = saves_of(runs["in-place"])


def _renumber(facts, names, run, row):
    """Parameter and buffer numbers of this construction to those of the row (all options on)."""
    full = [n for n, _, _ in row.parameters]
    buffers = [n for n, _, _ in row.buffers]
    own_buffers = [n for n, _ in run.module.named_buffers()]

    def number(kind, j):
        if kind == "p" and names[j] in full:
            return full.index(names[j])
        if kind == "b" and own_buffers[j] in buffers:
            return buffers.index(own_buffers[j])
        return None  # of a second layer: not in the row

    if facts["slot"] < 0:
        facts["slot"] = number("p", -1 - facts["slot"])
        if facts["slot"] is None:
            return None
        facts["slot"] = -1 - facts["slot"]
    for key in ("saved", "held"):
        numbered = [(k, number(k, j) if k in "pb" else j) for k, j in facts[key]]
        facts[key] = [(k, j) for k, j in numbered if j is not None]
    return facts


def _relation(out, run):
    for i, ts in run.inputs.items():
        if any(out is t for t in ts):
            return "S"
    if storage_of(out) and any(storage_of(out) == storage_of(t) for ts in run.inputs.values() for t in ts):
        return "V"
    return "F"


def _required(cls):
    parameters = list(inspect.signature(cls.forward).parameters.values())[1:]
    count = len([p for p in parameters if p.default is p.empty
                 and p.kind == p.POSITIONAL_OR_KEYWORD])
    return max(count, 1)


def row_text(row):
    def members(items):
        return ",".join(n + (f":{o}:{int(d)}" if o else "") for n, o, d in items) or "-"

    flags = ("u" if row.writes_buffers else "") + ("i" if row.in_place else "") + (
        "e" if row.identity_in_eval else "")
    return "\t".join(("nn", row.name, members(row.parameters), members(row.buffers), flags or "-",
                      str(row.inputs), row.returns, row.output, saves_text(row.train),
                      saves_text(row.eval), saves_text(row.in_place_saves),
                      "run" if row.known else "schema"))
