"""Random LibTorch training programs in varied style, with suspicious sites.

program(seed) is deterministic. What it returns is a text in the notation of markup.py.
"""
import contextlib
import random
import re
from dataclasses import dataclass, field

import layers
import sites
from layers import BATCH, Value
from markup import site

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


@dataclass
class Generated:
    seed: int
    text: str
    families: dict
    ambiguous: set
    doubles: bool
    traits: dict = field(default_factory=dict)


class Program:
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
        self.families, self.ambiguities = {}, set()
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

    def site(self, family):
        k = len(self.families) + 1
        self.families[k] = family
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

    #---- losses

    def losses(self, kind, out, target, outputs):
        r = self.r
        if kind == "class":
            return r.choice(["torch::nn::functional::cross_entropy({0}, {1})", "F::cross_entropy({0}, {1})", "torch::nll_loss(torch::log_softmax({0}, 1), {1})",
                             "F::nll_loss(F::log_softmax({0}, 1), {1})", "torch::nn::CrossEntropyLoss()({0}, {1})"]).format(out, target)
        return r.choice(["torch::mse_loss({0}, {1})", "F::mse_loss({0}, {1})", "({0} - {1}).pow(2).mean()", "torch::smooth_l1_loss({0}, {1})", 
                         "torch::nn::MSELoss()({0}, {1})", "({0} * {1}).mean()", "{0}.pow(2).mean()", "torch::binary_cross_entropy_with_logits({0}, torch::sigmoid({1}))", "({0} - {1}).square().sum()",
                         "{0}.sum()", "F::huber_loss({0}, {1})", "torch::logsumexp({0}, 1).mean()"]).format(out, target)

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

    def render(self, kind, shape, outputs, goal, out, input_name, forward_lines, sections):
        r = self.r
        size = ", ".join(map(str, shape))
        make_x = f"torch::randint(0, 10, {{{size}}})" if kind == "tokens" else r.choice([f"torch::randn({{{size}}})", f"torch::rand({{{size}}})"])
        make_y = f"torch::randint(0, {outputs}, {{{BATCH}}})" if goal == "class" else f"torch::randn({{{BATCH}, {outputs}}})"
        text = ["#include <torch/torch.h>", ""]
        extra = ["#include <iostream>", "#include <vector>", "#include <map>", "#include <optional>", "#include <cstring>", "#include <algorithm>"]
        text += extra + ["", "namespace F = torch::nn::functional;"]
        if r.random() < 0.2:
            text.append("using namespace torch::indexing;")
        text.append("")
        text += self.helpers + [""]
        result = out.name
        body = indent(forward_lines, 1)
        net = r.choice(["Net", "Model", "Classifier", "Encoder", "MLP"])
        main = []
        members = self.members
        if self.style in ("holder", "shared", "value", "nested"):
            text.append(self.render_class(net, body, input_name, result, kind))
            declare = {"holder": f"{net} net;", "nested": f"{net} net;", "shared": f"auto net = std::make_shared<{net}>();", "value": f"{net} net;"}[self.style]
            main.append(declare)
            call = {"value": r.choice(["net.forward({0})"])}.get(self.style, r.choice(["net->forward({0})", "net->forward({0})"] + (["net({0})"] if self.style != "shared" else [])))
        elif self.style == "struct":
            fields = "\n".join(f"  {m.type} {m.name}{self.initial(m)};" + (f"§{m.mark}§" if m.mark else "") for m in members)
            text.append(f"struct Weights {{\n{fields}\n\n  std::vector<torch::Tensor> parameters() {{\n    std::vector<torch::Tensor> all;\n{indent(self.collect('all', ''), 2)}\n    return all;\n  }}\n}};\n")
            by = r.choice(["const torch::Tensor& ", "torch::Tensor "]) if not self.assigned(input_name, forward_lines) else "torch::Tensor "
            text.append(f"torch::Tensor forward(Weights& m, {by}{input_name}) {{\n{body}\n  return {result};\n}}\n")
            main += ["Weights weights;", "auto params = weights.parameters();"]
            call = "forward(weights, {0})"
        else:
            for m in members:
                main.append(self.local(m))
            main.append("std::vector<torch::Tensor> params;")
            main += self.collect("params", "")
            if self.style == "lambda":
                main.append(f"auto forward = [&](torch::Tensor {input_name}) {{\n{body}\n  return {result};\n}};")
            call = "forward({0})"
        main += sections["setup"]
        params = self.outer_parameters()
        kind_of = r.choice(["SGD", "SGD", "Adam", "Adam", "AdamW", "RMSprop", "Adagrad"])
        rate = r.choice(["0.1", "0.01", "0.05", "1e-2"])
        options = r.choice([rate if "e" not in rate else rate, f"torch::optim::{kind_of}Options({rate})", f"torch::optim::{kind_of}Options({rate})" + (".momentum(0.9)" if kind_of == "SGD" else "")])
        clone_at = len(main)
        main.append(f"torch::optim::{kind_of} {r.choice(['optimizer', 'opt', 'optim'])}({params}, {options});")
        opt = main[-1].split()[1].split("(")[0]
        watch = " ".join(f"for (auto& p : {self.outer}{m.name}->parameters()) all.push_back(p);" if m.kind in ("module", "list") else f"all.push_back({self.outer}{m.name});"
                         for m in members if m.kind in ("module", "list", "parameter"))
        main.append(f"‹probe::parameters([&] {{ std::vector<torch::Tensor> all; {watch} return all; }}());›")
        if r.random() < 0.2 and self.style in ("holder", "nested", "shared"):
            main.append("net->train();")
        loop, used_function = [], False
        data_inside = r.random() < 0.25
        data = [f"auto x = {make_x};", f"auto y = {make_y};"]
        if not data_inside:
            main += data
        else:
            loop += data
        zero = r.choice([f"{opt}.zero_grad();"] * 3 + ([] if self.style not in ("holder", "nested", "shared") else ["net->zero_grad();"]))
        zero_first = r.random() < 0.8
        order = None
        if not self.families and r.random() < 0.45:
            order = r.choice(["no zero_grad", "zero after backward", "backward twice", "cloned", "step early", "retained"])
            if order in ("no zero_grad", "step early") and self.steps < 2:
                order = "backward twice"
        if order == "cloned":
            # The optimizer is given copies.
            k = self.site("identity")
            main[clone_at] = main[clone_at].replace(f"({params},", f"({site(k, 'copies', params)},", 1)
            main.insert(clone_at, f"std::vector<torch::Tensor> copies;\nfor (const auto& p : {params}) copies.push_back(p.detach().clone().requires_grad_(true));§{k}§")
        if order == "no zero_grad":
            zero = site(self.site("order"), "", zero)
        loop += sections["top"]
        if zero_first:
            loop.append(zero)
        if self.style == "inline":
            loop += forward_lines
            if result != "out" or True:
                output = result
        else:
            loop.append(f"{r.choice(['auto', 'torch::Tensor'])} out = {call.format('x')};")
            output = "out"
        loop += sections["after_forward"]
        loss = self.losses(goal, output, "y", outputs)
        for term in self.loss_terms:
            loss += f" + {term}"
        if r.random() < 0.15 and self.params:
            p = r.choice(self.params)
            loss += r.choice([f" + 1e-2 * {p.outer}.pow(2).sum()", f" + 0.01 * {p.outer}.abs().mean()", f" + 0.1 * {p.outer}.norm()"])
        loop.append(f"auto loss = {loss};‹probe::loss(loss);›")
        loop += sections["after_loss"]
        if not zero_first:
            loop.append(zero)
        loop.append("loss.backward();‹probe::gradients();›" if r.random() < 0.93 else "torch::autograd::backward({loss}, {});‹probe::gradients();›")
        if order == "no zero_grad":
            loop[-1] += "§1§"
        if order == "backward twice":
            loop[-1] += "§1§"  # repaired on either line: by keeping the graph, or by not walking it again
            loop.append(site(self.site("order"), "loss.backward();", "") + "§1§")
        if order == "retained":
            self.site("look-alike")
            loop[-1] = "loss.backward({}, /*retain_graph=*/true);\n(0.1 * loss).backward();‹probe::gradients();›§1§"
        if order == "zero after backward":
            loop.append(site(self.site("order"), f"{opt}.zero_grad();", "") + "§1§")
        if order == "step early":
            loop.insert(-1, site(self.site("order"), f"{opt}.step();", "") + "§1§")
        loop += self.after_backward
        loop += sections["after_backward"]
        if r.random() < 0.12:
            loop.append(f"torch::nn::utils::clip_grad_norm_({params}, 1.0);")
        loop.append(f"{opt}.step();‹probe::values();›")
        loop += sections["after_step"]
        if r.random() < 0.3:
            loop.append(r.choice(["std::cout << \"loss \" << loss.item<double>() << std::endl;", "printf(\"loss %f\\n\", loss.item<double>());", "std::cout << loss.detach() << '\\n';"]))
        if r.random() < 0.06:
            at = next((i for i, l in enumerate(loop) if l.startswith("loss.backward") or l.startswith("torch::autograd::backward")), None)
            if at is not None and order is None:
                loop[at:at + 1] = ["try {", "  " + loop[at], "} catch (const std::exception& e) {", "  std::cerr << e.what() << std::endl;", "  throw;", "}"]
        if self.steps == 1:
            main += loop
        else:
            head = self.loop[1]
            if r.random() < 0.12 and not self.loop_used:
                main.append("int iteration = 0;")
                head = f"while (iteration++ < {self.steps}) {{"
            main += [head, indent(loop, 1), "}"]
        if r.random() < 0.12:
            main.append(r.choice(["{ torch::NoGradGuard no_grad; auto check = " + (call.format("x") if self.style != "inline" and not data_inside else "torch::zeros({1})") + "; std::cout << check.mean() << std::endl; }", "std::cout << \"done\" << std::endl;"]))
        if r.random() < 0.75:
            text.append(f"@MAIN@\n{indent(['torch::manual_seed(%d);' % r.randint(0, 99)] if r.random() < 0.8 else [], 1)}\n{indent(main, 1)}\n  return 0;\n}}")
            entry = "main"
        else:
            text.append(f"void train() {{\n{indent(main, 1)}\n}}")
            entry = "train"
        return Generated(self.seed, "\n".join(text) + "\n", self.families, self.ambiguities, not self.floats, {"style": self.style, "entry": entry})

    def assigned(self, name, lines):
        return name in self.touched or any(re.search(rf"\b{name}\b\s*=[^=]|&{name}\b|auto& \w+ = {name}\b", line) for line in lines)

    def initial(self, m):
        if m.kind == "module":
            return "{%s}" % m.init if m.init else "" if m.type in ("torch::nn::Sequential",) else "{}"
        if m.kind == "list":
            return ""
        if m.kind == "parameter":
            return f" = ({m.init}).set_requires_grad(true)"
        if m.kind in ("flag", "buffer"):
            return f" = {m.init}"
        return ""

    def local(self, m):
        tail = f"§{m.mark}§" if m.mark else ""
        if m.kind == "module":
            return (f"{m.type} {m.name}({m.init});" if m.init else f"{m.type} {m.name};") + tail
        if m.kind == "list":
            return f"{m.type} {m.name};\n" + "\n".join(f"{m.name}->push_back({e});" for e in split_top(m.init))
        if m.kind == "parameter":
            way = self.r.choice(["({0}).set_requires_grad(true)", "({0}).requires_grad_(true)", "({0}).detach().requires_grad_()"])
            return f"{self.r.choice(['auto', 'torch::Tensor'])} {m.name} = {way.format(m.init)};"
        return f"{m.type} {m.name}" + (f" = {m.init}" if m.init else "") + ";"

    def collect(self, into, prefix):
        lines = []
        for m in self.members:
            if m.kind in ("module", "list"):
                if m.kind == "module" and m.type.split("::")[-1] in NO_PARAMETERS:
                    continue
                if self.style == "struct" and m.kind == "list":
                    lines += [f"if ({m.name}->size() == 0) {{"] + [f"  {m.name}->push_back({e});" for e in split_top(m.init)] + ["}"]
                lines.append(self.r.choice([f"for (auto& p : {m.name}->parameters()) {into}.push_back(p);",
                                            f"for (const auto& p : {m.name}->parameters())\n  {into}.emplace_back(p);"]))
            elif m.kind == "parameter":
                lines.append(f"{into}.push_back({m.name});")
        return lines

    def render_class(self, net, body, input_name, result, kind):
        r = self.r
        holder = self.style in ("holder", "nested")
        name = net + ("Impl" if holder else "")
        keyword = r.choice([("struct", ""), ("struct", ""), ("class", " public:\n")])
        fields, ctor, inits = [], [], []
        for m in self.members:
            tail = f"§{m.mark}§" if m.mark else ""
            if m.kind == "module":
                way = r.random()
                plain = m.init.strip()
                if way < 0.45 or m.type.endswith("Sequential"):
                    value = f"{m.type}({plain})" if plain else f"{m.type}()"
                    if m.type.endswith("Sequential"):
                        parts = split_top(plain)
                        value = f"{m.type}(" + ",\n                     ".join(p + (tail if "«" in p else "") for p in parts) + ")"
                        tail = "" if any("«" in p for p in parts) else tail
                    ctor.append(f"{m.name} = register_module(\"{m.name}\", {value});{tail}")
                    fields.append(f"{m.type} {m.name}{{nullptr}};")
                elif way < 0.75:
                    fields.append(f"{m.type} {m.name}{{{plain}}};{tail}" if plain else f"{m.type} {m.name};{tail}")
                    ctor.append(f"register_module(\"{m.name}\", {m.name});")
                else:
                    inits.append((m, f"{m.name}(register_module(\"{m.name}\", {m.type}({plain})))", tail))
                    fields.append(f"{m.type} {m.name};" if False else f"{m.type} {m.name}{{nullptr}};")
            elif m.kind == "list":
                ctor += [f"{m.name}->push_back({e});" for e in split_top(m.init)] + [f"register_module(\"{m.name}\", {m.name});"]
                fields.append(f"{m.type} {m.name};")
            elif m.kind == "parameter":
                ctor.append(f"{m.name} = register_parameter(\"{m.name}\", {m.init});")
                fields.append(f"torch::Tensor {m.name};")
            elif m.kind == "buffer":
                if r.random() < 0.7:
                    ctor.append(f"{m.name} = register_buffer(\"{m.name}\", {m.init});")
                    fields.append(f"torch::Tensor {m.name};")
                else:
                    fields.append(f"torch::Tensor {m.name} = {m.init};")
            elif m.kind == "flag":
                fields.append(f"bool {m.name} = {m.init};")
            else:
                fields.append(f"torch::Tensor {m.name};")
        # Initialisers in the order of the fields, so that the compiler does not complain.
        init_text = "".join((" : " if i == 0 else ",\n        ") + t + (f" /**/{tail}" if tail else "") for i, (m, t, tail) in enumerate(inits)).replace(" /**/", "")
        override = ""
        by = "torch::Tensor "
        if r.random() < 0.4 and not self.assigned(input_name, [body]):
            by = "const torch::Tensor& "
        text = f"{keyword[0]} {name} : {'public ' if keyword[0] == 'class' or r.random() < 0.2 else ''}torch::nn::Module {{\n{keyword[1]}  {name}(){init_text} {{\n{indent(ctor, 2)}\n  }}\n\n"
        text += f"  torch::Tensor forward({by}{input_name}){override} {{\n{indent([body], 1)}\n    return {result};\n  }}\n\n{indent(fields, 1)}\n}};\n"
        if holder:
            text += f"TORCH_MODULE({net});\n"
        return text


NO_PARAMETERS = {"ReLU", "Sigmoid", "Tanh", "ELU", "SELU", "GELU", "SiLU", "Softplus", "LeakyReLU", "Hardtanh", "Mish", "Identity", "LogSigmoid", "Tanhshrink", "CELU", "ReLU6",
                 "Softsign", "Softmax", "LogSoftmax", "Softmin", "Softshrink", "Hardshrink", "Dropout", "MaxPool2d", "AvgPool2d", "RReLU", "Threshold"}


def split_top(text):
    """At the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        if c in "({[<":
            depth += 1
        elif c in ")}]>":
            depth -= 1
        elif c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    parts.append(text[start:].strip())
    return [p for p in parts if p]


def indent(lines, depth):
    pad = "  " * depth
    return "\n".join(pad + line if line.strip() else line for text in lines for line in text.split("\n"))


def program(seed):
    return Program(seed).generate()
