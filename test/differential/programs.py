"""Random LibTorch training programs in varied style, with suspicious sites.

program(seed) is deterministic. What it returns is a text in the notation of markup.py.
"""
import contextlib
import random
import re
from dataclasses import dataclass

import layers
import scenarios
import sites
from classes import NO_PARAMETERS, Classes
from layers import BATCH, Value
from markup import Generated
from training import Training

SITES = [
    (sites.inplace, 26), (sites.alias, 22), (sites.guarded, 8), (sites.raw, 8), (sites.activation_option, 18),
    (sites.inplace_old_handle, 5), (sites.look_alike, 14), (sites.parameter_write, 16), (sites.frozen, 3),
    (sites.cut, 9), (sites.lost_write, 3), (sites.running, 6),
]
STYLES = ["holder", "holder", "shared", "value", "inline", "inline", "lambda", "struct", "nested"]


@dataclass
class Parameter:
    inner: str
    outer: str
    shape: tuple


@dataclass
class Member:
    name: str
    type: str
    init: str
    kind: str  # module, parameter, list, flag, tensor
    mark: int = 0
    registered: object = True  # False, or a site at which it is not


class Program(Classes, Training):
    def __init__(self, seed):
        self.seed = seed
        self.r = r = random.Random(seed)
        self.style = r.choice(STYLES)
        self.floats = False
        self.contiguous = False
        self.counts = {}
        self.constants = set()
        self.touched = set()  # names that must not be const
        self.derived = set()
        self.taken = {"x", "y", "out", "loss", "net", "params", "weights", "optimizer", "opt", "optim", "forward"}
        self.members = []
        self.helpers = []
        self.values = []
        self.params = []
        self.after_backward = []
        self.laters = []
        self.loss_terms = []
        self.families, self.ambiguities, self.meant = {}, set(), {}
        self.lines = []
        self.place = "forward"
        self.pending = []
        self.busy = False
        self.depth = 0
        self.loop_used = False
        self.must_use = []
        self.in_forward = True
        self.function_flag = None
        self.flag_member = None
        self.steps = r.choice([1, 2, 2, 3])
        self.loop = r.choice([("step", f"for (int step = 0; step < {self.steps}; ++step) {{"), ("epoch", f"for (int epoch = 1; epoch <= {self.steps}; epoch++) {{"),
                              ("i_step", f"for (size_t i_step = 0; i_step < {self.steps}u; ++i_step) {{")])
        self.this = "this->" if r.random() < 0.1 else ""
        self.acc = {"struct": "m."}.get(self.style, self.this if self.style in ("holder", "shared", "value", "nested") else "")
        self.outer = {"holder": "net->", "nested": "net->", "shared": "net->", "value": "net.", "struct": "weights."}.get(self.style, "")

    @contextlib.contextmanager
    def inner_module(self):
        """Statements and members made meanwhile belong to a class of their own."""
        names = ("values", "lines", "members", "acc", "this", "style", "params", "outer", "must_use", "laters", "flag_member", "derived")
        saved = {n: getattr(self, n) for n in names}
        self.lines, self.members, self.acc, self.this, self.style, self.params = [], [], "", "", "holder", []
        self.must_use, self.laters, self.flag_member, self.derived = [], [], None, set()
        self.depth += 1
        yield
        self.depth -= 1
        for n in names:
            setattr(self, n, saved[n])

    #---- names and lines

    def fresh(self, base):
        while True:
            n = self.counts[base] = self.counts.get(base, 0) + 1
            name = base if n == 1 and self.r.random() < 0.7 else f"{base}{n}"
            if name not in self.taken:
                self.taken.add(name)
                return name

    def line(self, text):
        self.lines.append(text)

    def helper(self, text):
        self.helpers.append(text)

    def names(self):
        return [v.name for v in self.values] + [m.name for m in self.members]

    def call(self, module, argument):
        if module.startswith("(*"):
            return f"{module}({argument})"
        if "Sequential" in next((m.type for m in self.members if module.endswith(m.name)), ""):
            return f"{module}->forward({argument})"
        return f"{module}->forward({argument})" if self.r.random() < 0.6 else f"{module}({argument})"

    def assign(self, expression, shape, new=None, like=None, fresh=False, mark=None):
        r = self.r
        if like:  # the shape follows from the parts
            a, b, half = like
            shape = (half[0], half[1] * 2) if "cat" in expression else half
        tail = f"§{mark}§" if mark else ""
        data = not self.tracked(expression)
        mutable = [v for v in self.values if not v.fixed and not v.data]
        if not new and not fresh and mutable and r.random() < 0.45:
            v = mutable[-1]
            self.line(f"{v.name} = {expression};{tail}")
            v.shape, v.data = shape, data
            self.values.remove(v)
            self.values.append(v)
            return v
        v = Value(self.fresh(new or r.choice(["h", "h", "x", "z", "out", "feat", "hidden", "act", "y_", "t"])), shape, data)
        kind = r.choice(["auto", "auto", "torch::Tensor", "at::Tensor"])
        self.line(f"{kind} {v.name} = {expression};{tail}")
        self.values.append(v)
        return v

    def derive(self, value, *names):
        if not value.data:
            self.derived |= set(names)

    def tracked(self, expression):
        """Whether parameters enter."""
        words = set(re.findall(r"[A-Za-z_]\w*", expression))
        if any(v.name in words for v in self.values if not v.data):
            return True
        if any(n in words for n in self.derived):
            return True
        return any(m.name in words and (m.kind in ("list", "parameter") or m.type.split("::")[-1] not in NO_PARAMETERS) for m in self.members)

    def unary_helper(self, expression):
        f = self.fresh(self.r.choice(["transform", "squash", "activate", "nonlinear"]))
        used = [v.name for v in self.values if re.search(rf"\b{v.name}\b", expression)]
        if len(used) != 1:
            return expression
        by = self.r.choice(["const torch::Tensor& t", "torch::Tensor t", "at::Tensor t"])
        body = re.sub(rf"\b{used[0]}\b", "t", expression)
        self.helper(f"{self.r.choice(['', 'static ', 'inline '])}torch::Tensor {f}({by}) {{\n  return {body};\n}}")
        return f"{f}({used[0]})"

    #---- members

    def member(self, name, type_, init, kind, mark=0):
        self.members.append(Member(name, type_, init, kind, mark))
        self.taken.add(name)
        return self.acc + name

    def free(self, base):
        n = 1
        while f"{base}{n}" in self.taken:
            n += 1
        return f"{base}{n}"

    def module(self, base, kind, arguments, mark=0):
        name = self.free(base)
        inner = self.member(name, f"torch::nn::{kind}", arguments, "module", mark)
        if kind in ("Linear", "Conv2d"):
            numbers = [int(n) for n in re.findall(r"\d+", re.sub(r"Conv2d|\.padding\(1\)", "", arguments))]
            shape = (numbers[1], numbers[0]) if kind == "Linear" else (numbers[1], numbers[0], 3, 3)
            self.params.append(Parameter(f"{inner}->weight", f"{self.outer}{name}->weight", shape))
            if "bias(false)" not in arguments:
                self.params.append(Parameter(f"{inner}->bias", f"{self.outer}{name}->bias", (numbers[1],)))
        elif kind in ("LayerNorm", "BatchNorm1d", "BatchNorm2d"):
            n = int(re.search(r"\d+", arguments.replace("LayerNormOptions", "")).group())
            self.params.append(Parameter(f"{inner}->weight", f"{self.outer}{name}->weight", (n,)))
        return inner

    def module_list(self, base, entries):
        name = self.free(base)
        return self.member(name, "torch::nn::ModuleList", ", ".join(entries), "list")

    def parameter(self, base, shape):
        name = self.free(base)
        inner = self.member(name, "torch::Tensor", f"torch::randn({{{', '.join(map(str, shape))}}}) * 0.5", "parameter")
        self.params.append(Parameter(inner, self.outer + name, shape))
        return inner

    def buffer(self, base, shape):
        return self.member(self.free(base), "torch::Tensor", f"torch::{self.r.choice(['ones', 'zeros', 'rand'])}({{{', '.join(map(str, shape))}}})", "buffer")

    def any_parameter(self):
        return self.r.choice(self.params) if self.params else None

    def same_shape(self, shape):
        """Expressions of that shape: other activations, parameters."""
        found = [v.name for v in self.values if v.shape == shape]
        return found + [p.inner if self.in_forward else p.outer for p in self.params if p.shape == shape]

    def parameters_expression(self):
        if self.style in ("holder", "shared", "value", "nested"):
            return f"{self.this}parameters()"
        return "weights_of_all" if False else ""

    def outer_parameters(self):
        return {"value": "net.parameters()", "struct": "params", "inline": "params", "lambda": "params"}.get(self.style, "net->parameters()")

    #---- sites

    def site(self, family, meant=()):
        k = len(self.families) + 1
        self.families[k] = family
        if meant:
            self.meant[k] = set(meant)
        return k

    def family(self, k, name):
        self.families[k] = name

    def ambiguous(self, k):
        self.ambiguities.add(k)

    def cancel(self, k):
        """The site came to nothing; harmless text may stay."""
        self.families[k] = "look-alike"
        return True

    def target(self, data=True, recent=False):
        r = self.r
        some = [v for v in self.values if not v.fixed and (not v.data or (data and r.random() < 0.1))] or [v for v in self.values if data and not v.fixed]
        some = [v for v in some if len(v.shape) >= 2]
        if not some:
            return None
        v = some[-1] if recent or r.random() < 0.6 else r.choice(some)
        self.touched.add(v.name)
        return v

    def other(self, v):
        some = [x for x in self.values if x is not v and x.shape == v.shape and not x.data]
        return self.r.choice(some) if some else None

    def more(self):
        """A statement in between, of the current value."""
        some = [v for v in self.values if not v.data and not v.fixed]
        if some and self.in_forward:
            layers.activation(self, some[-1]) if self.r.random() < 0.5 else layers.linear(self, some[-1]) if len(some[-1].shape) != 4 else layers.activation(self, some[-1])

    def offer(self, name, shape, sure=False):
        if self.place in ("forward", "after_forward") and (sure or self.r.random() < 0.6):
            self.must_use.append((name, shape))

    def use(self, v):
        self.must_use.append((v.name, v.shape))

    def use_in_loss(self, text):
        if self.in_forward and self.style not in ("inline",):
            some = [v for v in self.values if not v.data and not v.fixed]
            if some:
                self.line(f"{some[-1].name} = {some[-1].name} + {text};")
        elif self.place in ("setup", "top", "forward", "after_forward"):
            self.loss_terms.append(text)

    def later(self, emit):
        self.laters.append(emit)

    def between(self):
        """A place inside a structure where a site may stand."""
        if self.pending and not self.busy and self.r.random() < 0.35:
            self.place_site()

    def place_site(self):
        self.busy = True
        make = self.pending.pop()
        if not make(self) and not self.depth:
            self.pending.insert(0, sites.inplace)
        self.busy = False

    def flush_uses(self):
        some = [v for v in self.values if not v.data and not v.fixed]
        if not some:
            return
        for name, shape in self.must_use:
            h = some[-1]
            if h.shape == shape and self.r.random() < 0.7:
                self.line(f"{h.name} = {h.name} {self.r.choice(['+', '*', '-'])} {name};")
            else:
                self.line(f"{h.name} = {h.name} + {self.r.choice(['{0}.mean()', '0.1 * {0}.pow(2).mean()', '{0}.sum() * 0.1', 'torch::sigmoid({0}).mean()']).format(name)};")
        self.must_use = []

    #---- conditions

    def open_condition(self):
        """Holds when the program runs; nobody who reads it can be sure."""
        r = self.r
        some = [v for v in self.values if len(v.shape) >= 2 and "->" not in v.name]
        if self.steps > 1 and not self.depth and (self.style == "inline" or not self.in_forward) and self.place != "setup" and r.random() < 0.4:
            self.loop_used = True
            return r.choice(["{0} % 2 == 1", "{0} > 0", "{0} == 1", "{0} >= 0"]).format(self.loop[0])
        choices = ["std::getenv(\"NO_SUCH_SWITCH\") == nullptr", "torch::get_num_threads() > 0"]
        if some:
            v = r.choice(some)
            choices += [f"{v.name}.size(0) > 1", f"{v.name}.dim() > 1", f"{v.name}.detach().abs().sum().item<double>() >= 0"]
        return r.choice(choices)

    def fixed_condition(self, on):
        """A switch whose setting can be read from the program."""
        r = self.r
        if self.style in ("holder", "shared", "value", "nested") and self.in_forward and r.random() < 0.5:
            if self.flag_member is None:
                self.flag_member = on
                self.members.append(Member("debug_", "bool", "true" if on else "false", "flag"))
            if self.flag_member == on:
                return self.this + "debug_"
        name = f"k{r.choice(['Debug', 'Clamp', 'Track', 'Scale'])}{len(self.helpers)}"
        self.helper(f"{r.choice(['const', 'constexpr', 'static const'])} bool {name} = {'true' if on else 'false'};")
        return name

    #---- the forward pass

    def input(self):
        r = self.r
        kind = r.choices(["flat", "image", "sequence", "tokens"], [10, 4, 2, 2])[0]
        if kind == "flat":
            return kind, (BATCH, r.choice([4, 6, 8]))
        if kind == "image":
            return kind, (BATCH, r.choice([1, 2, 3]), 6, 6)
        if kind == "sequence":
            return kind, (BATCH, 3, r.choice([4, 6]))
        return kind, (BATCH, 3)

    def forward_body(self, name, kind, shape, outputs):
        """Statements that make `out` of the input; returns the last value."""
        r = self.r
        v = Value(name, shape, data=True)
        self.values.append(v)
        if kind == "tokens":
            width = r.choice([4, 6])
            self.values.remove(v)
            table = self.module("embed", "Embedding", f"10, {width}")
            v = self.assign(self.call(table, name), shape + (width,), new="e")
        elif r.random() < 0.85:
            v = layers.conv(self, v) if kind == "image" else layers.linear(self, v)
        self.between()
        for _ in range(r.randint(2, 5)):
            v = layers.layer(self, v)
            if self.pending and r.random() < 0.5:
                if r.random() < 0.5:  # on a value that somebody probably saved
                    v = layers.activation(self, v)
                self.place_site()
                v = self.current(v)
            if self.laters and r.random() < 0.4:
                self.laters.pop()()
        if len(v.shape) > 2:
            v = layers.to_flat(self, v)
        while self.pending:
            self.place_site()
            v = self.current(v)
        self.flush_uses()
        v = self.current(v)
        if len(v.shape) > 2:
            v = layers.to_flat(self, v)
        if r.random() < 0.85 or v.shape[1] != outputs:
            v = layers.linear(self, v, outputs)
        for emit in self.laters:
            emit()
        self.laters = []
        return v

    def current(self, v):
        """The value that goes on: the newest that can."""
        return v

    #---- everything

    def generate(self):
        r = self.r
        kind, shape = self.input()
        outputs = r.choice([1, 3, 4])
        goal = "class" if outputs > 1 and r.random() < 0.4 else "value"
        number = r.choices([0, 1, 2], [12, 70, 18])[0]
        chosen = r.choices([s for s, _ in SITES], [w for _, w in SITES], k=number)
        # Where: most in the forward pass.
        zones = {"forward": [], "setup": [], "top": [], "after_forward": [], "after_loss": [], "after_backward": [], "after_step": []}
        for s in chosen:
            if s in (sites.parameter_write,):
                zone = r.choices(list(zones), [3, 1, 2, 2, 4, 1, 2])[0]
            elif s is sites.frozen:
                zone = r.choice(["setup", "top"])
            elif s in (sites.inplace, sites.alias, sites.guarded, sites.raw, sites.look_alike, sites.lost_write):
                zone = r.choices(["forward", "after_forward", "after_loss", "after_backward"], [10, 2, 3, 1])[0]
            else:
                zone = "forward"
            zones[zone].append(s)
        self.pending = list(zones["forward"])

        inline = self.style in ("inline",)
        input_name = "x" if inline else r.choice(["x", "input", "batch", "img"])
        self.counts[input_name] = self.counts.get(input_name, 0) + 1
        self.counts["y"] = 1
        self.counts["loss"] = 1
        out = self.forward_body(input_name, kind, shape, outputs)
        forward_lines, self.lines = self.lines, []
        forward_values = self.values
        cached = None
        if self.style in ("holder", "shared", "value", "nested") and r.random() < 0.15:
            some = [v for v in self.values if not v.data and not v.fixed and len(v.shape) == 2]
            if some:
                cached = r.choice(some)
                self.members.append(Member("cache_", "torch::Tensor", "", "tensor"))
                forward_lines.append(f"{self.this}cache_ = {cached.name};")

        # The training loop.
        self.in_forward = False
        sections = {}
        if inline:
            visible = forward_values
        else:
            visible = [Value("out", out.shape)]
            if cached:
                visible.append(Value(f"{self.outer}cache_", cached.shape))
            else:
                visible.append(Value("out", out.shape))
        for zone in ("setup", "top", "after_forward", "after_loss", "after_backward", "after_step"):
            self.place = zone
            self.values = visible if zone in ("after_forward", "after_loss", "after_backward") else []
            self.lines = []
            self.must_use = []
            for make in zones[zone]:
                make(self)
            for emit in self.laters:
                emit()
            self.laters = []
            if zone == "after_forward" and self.must_use:
                for name, _ in self.must_use:
                    self.loss_terms.append(f"{name}.mean()")
            sections[zone] = self.lines
        return self.render(kind, shape, outputs, goal, out, input_name, forward_lines, sections)

    def assigned(self, name, lines):
        return name in self.touched or any(re.search(rf"\b{name}\b\s*=[^=]|&{name}\b|auto& \w+ = {name}\b", line) for line in lines)

def program(seed):
    if random.Random(seed * 17 + 5).random() < 0.4:
        return scenarios.program(seed)
    return Program(seed).generate()
