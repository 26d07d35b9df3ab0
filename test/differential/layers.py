"""What a forward pass is made of: layers, activations and structures in the spellings people use.

Every function here takes the program under construction (programs.Program) and the current value, and
adds statements that make the next one.
"""
from dataclasses import dataclass

BATCH = 4


@dataclass
class Value:
    name: str
    shape: tuple
    data: bool = False  # no gradient: an input, or made of inputs alone
    fixed: bool = False  # must not be assigned to: a const, a reference, somebody else's object


ACTIVATIONS = [
    "torch::relu({0})", "{0}.relu()", "F::relu({0})", "torch::sigmoid({0})", "{0}.sigmoid()",
    "torch::tanh({0})", "{0}.tanh()", "F::elu({0})", "torch::elu({0})", "torch::selu({0})", "F::selu({0})",
    "F::gelu({0})", "torch::gelu({0})", "F::silu({0})", "torch::silu({0})", "F::softplus({0})",
    "F::leaky_relu({0})", "torch::leaky_relu({0}, 0.1)", "F::hardtanh({0})", "F::softsign({0})",
    "torch::softmax({0}, -1)", "{0}.softmax(-1)", "F::softmax({0}, F::SoftmaxFuncOptions(-1))",
    "torch::log_softmax({0}, -1)", "{0}.log_softmax(-1)", "({0} * 0.2).exp()", "torch::exp({0} * 0.1)",
    "torch::sin({0})", "{0}.cos()", "{0}.pow(2)", "torch::square({0})", "{0}.abs()", "{0} * {0}",
    "torch::sqrt({0}.abs() + 1e-3)", "{0} / (1 + {0}.abs())", "{0}.clamp(-1, 1)", "torch::erf({0})",
    "torch::where({0} > 0, {0}, 0.1 * {0})", "torch::max({0}, 0.2 * {0})", "torch::mish({0})", "F::mish({0})",
    "torch::log1p({0}.abs())", "-{0}", "2 * {0} - 1", "{0} + 0.5", "{0} / 3", "{0}.cumsum(-1)", "torch::hardswish({0})",
    "torch::hardsigmoid({0})", "F::celu({0})", "F::logsigmoid({0})", "torch::atan({0})", "torch::relu6({0})",
    "F::relu6({0})", "F::tanhshrink({0})", "{0}.neg()", "torch::mul({0}, 0.7)", "{0}.mul(1.5).add(0.1)",
    "torch::asinh({0})", "({0} * 0.1).expm1()", "torch::sinh({0} * 0.3)", "{0}.reciprocal().clamp(-1, 1)",
    "torch::logit({0}.sigmoid().clamp(0.01, 0.99))", "torch::pow({0}, 3) * 0.1", "torch::addcmul({0}, {0}, {0}, 0.1)",
]
ACTIVATION_MODULES = [
    ("ReLU", ""), ("Sigmoid", ""), ("Tanh", ""), ("ELU", ""), ("SELU", ""), ("GELU", ""), ("SiLU", ""), ("Softplus", ""),
    ("LeakyReLU", "torch::nn::LeakyReLUOptions().negative_slope(0.2)"), ("Hardtanh", ""), ("PReLU", ""), ("Mish", ""),
    ("Identity", ""), ("LogSigmoid", ""), ("Tanhshrink", ""), ("CELU", ""), ("ReLU6", ""), ("Softsign", ""),
    ("Softmax", "torch::nn::SoftmaxOptions(-1)"), ("LogSoftmax", "-1"), ("Softmin", "1"), ("Softshrink", ""), ("Hardshrink", "0.05"),
]
NORMALISE = [
    "{0} / ({0}.norm() + 1e-6)", "{0} / ({0}.abs().sum(-1, true) + 1e-6)", "({0} - {0}.mean()) / ({0}.std() + 1e-5)",
    "{0} - {0}.mean(-1, true)", "F::normalize({0}, F::NormalizeFuncOptions().p(2).dim(-1))", "{0} / ({0}.detach().abs().max() + 1)",
    "{0} * torch::rsqrt({0}.pow(2).mean(-1, true) + 1e-6)",
]
# In C++ these take inplace(true): functional name, its options, module.
INPLACE_ACTIVATIONS = [
    ("relu", "ReLU"), ("leaky_relu", "LeakyReLU"), ("elu", "ELU"), ("selu", "SELU"), ("celu", "CELU"), ("hardtanh", "Hardtanh"),
    ("relu6", "ReLU6"), ("rrelu", "RReLU"), ("threshold", "Threshold"), ("dropout", "Dropout"),
]
INPLACE_OPTIONS = {"Threshold": "0.1, 0.05", "ReLU": "", "ReLU6": "", "SELU": "", "Dropout": "0.4", "Hardtanh": ""}


def linear(g, v, out=None):
    r = g.r
    width = v.shape[-1]
    out = out or r.choice([4, 6, 8])
    shape = v.shape[:-1] + (out,)
    form = r.random()
    if form < 0.62:
        fc = g.module("fc", "Linear", f"{width}, {out}" if r.random() < 0.85 else f"torch::nn::LinearOptions({width}, {out}).bias(false)")
        return g.assign(g.call(fc, v.name), shape)
    w, b = g.parameter("w", (width, out)), g.parameter("b", (out,))
    if form < 0.72 and len(shape) == 2:
        return g.assign(f"torch::addmm({b}, {v.name}, {w})", shape)
    if form < 0.8:
        return g.assign(f"F::linear({v.name}, {w}.t(), {b})", shape)
    return g.assign(r.choice([f"torch::matmul({v.name}, {w}) + {b}", f"{v.name}.matmul({w}) + {b}", f"{v.name}.matmul({w}).add({b})"]), shape)


def activation(g, v):
    r = g.r
    if r.random() < 0.3:
        name, options = r.choice(ACTIVATION_MODULES)
        act = g.module("act", name, options)
        return g.assign(g.call(act, v.name), v.shape)
    expression = r.choice(ACTIVATIONS).format(v.name)
    if r.random() < 0.12:
        expression = g.unary_helper(expression)
    return g.assign(expression, v.shape)


def normalise(g, v):
    return g.assign(g.r.choice(NORMALISE).format(v.name), v.shape)


def norm_layer(g, v):
    if len(v.shape) == 4:
        kind, options = g.r.choice([("BatchNorm2d", str(v.shape[1])), ("GroupNorm", f"torch::nn::GroupNormOptions(1, {v.shape[1]})")])
    elif len(v.shape) == 2 and g.r.random() < 0.5:
        kind, options = "BatchNorm1d", str(v.shape[1])
    else:
        kind, options = "LayerNorm", "torch::nn::LayerNormOptions({%d})" % v.shape[-1]
    return g.assign(g.call(g.module("norm", kind, options), v.name), v.shape)


def dropout(g, v):
    if g.r.random() < 0.5:
        return g.assign(g.call(g.module("drop", "Dropout", "0.2"), v.name), v.shape)
    return g.assign(g.r.choice(["torch::dropout({0}, 0.2, true)", "F::dropout({0}, F::DropoutFuncOptions().p(0.1))"]).format(v.name), v.shape)


def residual(g, v):
    """Something kept, a layer or two, and the sum."""
    r = g.r
    keep = g.assign(v.name, v.shape, new="skip") if r.random() < 0.7 else v
    h = activation(g, v) if r.random() < 0.3 else v
    g.between()
    h = linear(g, h, h.shape[-1]) if len(v.shape) != 4 else conv(g, h, v.shape[1], same=True)
    if r.random() < 0.5:
        h = activation(g, h)
    g.between()
    return g.assign(r.choice([f"{h.name} + {keep.name}", f"{keep.name} + 0.5 * {h.name}", f"{h.name}.add({keep.name})",
                              f"torch::add({keep.name}, {h.name})"]), v.shape)


def gate(g, v):
    r = g.r
    form = r.random()
    if form < 0.35:
        s = g.assign(r.choice(["torch::sigmoid({0})", "torch::softmax({0}, -1)", "torch::tanh({0})"]).format(v.name), v.shape, new=r.choice(["gate", "attn", "s"]))
        g.between()
        return g.assign(r.choice([f"{v.name} * {s.name}", f"{s.name}.mul({v.name})", f"torch::mul({v.name}, {s.name})"]), v.shape)
    if form < 0.6 and len(v.shape) == 2 and v.shape[1] % 2 == 0:
        half = (v.shape[0], v.shape[1] // 2)
        parts = g.fresh("parts")
        g.derive(v, parts)
        if r.random() < 0.5:
            g.line(f"auto {parts} = {v.name}.chunk(2, 1);")
            a, b = f"{parts}[0]", f"{parts}[1]"
        elif r.random() < 0.5:
            a, b = g.fresh("left"), g.fresh("right")
            g.derive(v, a, b)
            g.line(f"auto {a} = {v.name}.slice(1, 0, {half[1]});")
            g.line(f"auto {b} = {v.name}.narrow(1, {half[1]}, {half[1]});")
        else:
            g.line(f"auto {parts} = torch::split({v.name}, {half[1]}, 1);")
            a, b = f"{parts}[0]", f"{parts}[1]"
        return g.assign(r.choice([f"{a} * torch::sigmoid({b})", f"torch::cat({{{a}, {b}.tanh()}}, 1)", f"{a} + {b}", f"torch::cat({{{b}, {a}}}, 1)"]), None, like=(a, b, half))
    if form < 0.8 and len(v.shape) == 2:
        w = g.parameter("scale", (v.shape[1],))
        return g.assign(r.choice([f"{v.name} * {w}", f"{w} * {v.name}", f"{v.name}.mul({w})"]), v.shape)
    old = g.other(v)
    if old:
        return g.assign(r.choice([f"{v.name} * {old.name}", f"{v.name} + {old.name}", f"{v.name} - 0.5 * {old.name}", f"torch::max({v.name}, {old.name})",
                                  f"torch::stack({{{v.name}, {old.name}}}).mean(0)", f"torch::lerp({v.name}, {old.name}, 0.3)"]), v.shape)
    return g.assign(f"{v.name} * {v.name}.sigmoid()", v.shape)


def views(g, v):
    r = g.r
    n = 1
    for s in v.shape:
        n *= s
    choices = [(f"{v.name}.view({{{n // BATCH}, {BATCH}}}).reshape({{{', '.join(map(str, v.shape))}}})", v.shape),
               (f"{v.name}.flatten(1)", (v.shape[0], n // v.shape[0])),
               (f"{v.name}.unsqueeze(1).squeeze(1)", v.shape), (f"{v.name}.contiguous()", v.shape),
               (f"{v.name}.clone()", v.shape)]
    if len(v.shape) == 2:
        choices += [(f"{v.name}.t().contiguous().t()", v.shape), (f"torch::cat({{{v.name}, {v.name}.tanh()}}, 1)", (v.shape[0], 2 * v.shape[1]))]
    text, shape = r.choice(choices)
    return g.assign(text, shape)


def to_sequence(g, v):
    width = v.shape[1]
    return g.assign(f"{v.name}.view({{{v.shape[0]}, 2, {width // 2}}})", (v.shape[0], 2, width // 2))


def attention(g, v):
    r = g.r
    d = v.shape[-1]
    if r.random() < 0.25:
        q = k = u = v
    else:
        q = g.assign(g.call(g.module("q", "Linear", f"{d}, {d}"), v.name), v.shape, new="q")
        k = g.assign(g.call(g.module("k", "Linear", f"{d}, {d}"), v.name), v.shape, new="k")
        u = g.assign(g.call(g.module("v", "Linear", f"{d}, {d}"), v.name), v.shape, new="val")
        g.between()
    scores = g.assign(f"torch::matmul({q.name}, {k.name}.transpose(-2, -1)) / {max(1.0, d ** 0.5):.2f}", v.shape[:-1] + (v.shape[-2],), new="scores")
    g.between()
    weights = g.assign(r.choice(["torch::softmax({0}, -1)", "{0}.softmax(-1)"]).format(scores.name), scores.shape, new="weights")
    g.between()
    return g.assign(f"torch::matmul({weights.name}, {u.name})", v.shape)


def recurrent(g, v):
    r = g.r
    d, hidden = v.shape[-1], r.choice([4, 6])
    kind = r.choice(["GRU", "LSTM", "RNN"])
    if kind == "LSTM":
        g.floats = True  # with doubles, which nobody trains with, another kernel runs and saves other values
    net = g.module("rnn", kind, f"torch::nn::{kind}Options({d}, {hidden}).batch_first(true)")
    shape = v.shape[:-1] + (hidden,)
    if r.random() < 0.5:
        return g.assign(f"std::get<0>({g.call(net, v.name)})", shape)
    pair, seq = g.fresh("result"), g.fresh("seq")
    g.derived |= {pair, seq}
    if r.random() < 0.5:
        g.line(f"auto [{seq}, {pair}] = {net}->forward({v.name});")
        g.values.append(Value(seq, shape, fixed=True))
        return g.assign(f"{seq} + 0", shape)
    g.line(f"auto {pair} = {net}->forward({v.name});")
    return g.assign(f"std::get<0>({pair})", shape)


def pool_sequence(g, v):
    form = g.r.choice(["{0}.mean(1)", "{0}.select(1, 0)", "torch::sum({0}, 1)", "std::get<0>({0}.max(1))", "{0}.index({{torch::indexing::Slice(), -1}})",
                       "torch::amax({0}, 1)", "{0}.flatten(1)", "{0}.unbind(1)[0]"])
    shape = (v.shape[0], v.shape[1] * v.shape[2]) if "flatten" in form else (v.shape[0], v.shape[2])
    return g.assign(form.format(v.name), shape)


def conv(g, v, out=None, same=False):
    r = g.r
    out = out or r.choice([3, 4])
    c = v.shape[1]
    if r.random() < 0.75:
        name = g.module("conv", "Conv2d", f"torch::nn::Conv2dOptions({c}, {out}, 3).padding(1)" + r.choice(["", ".bias(false)"]))
        return g.assign(g.call(name, v.name), (v.shape[0], out) + v.shape[2:])
    w = g.parameter("kernel", (out, c, 3, 3))
    return g.assign(f"torch::conv2d({v.name}, {w}, {{}}, 1, 1)", (v.shape[0], out) + v.shape[2:])


def pool(g, v):
    n, c, h, w = v.shape
    if h < 4:
        return activation(g, v)
    r = g.r
    form = r.choice(["F::max_pool2d({0}, F::MaxPool2dFuncOptions(2))", "torch::max_pool2d({0}, 2)", "torch::avg_pool2d({0}, 2)",
                     "F::avg_pool2d({0}, F::AvgPool2dFuncOptions(2))", "MODULE"])
    if form == "MODULE":
        kind = r.choice(["MaxPool2d", "AvgPool2d"])
        form = g.call(g.module("pool", kind, f"torch::nn::{kind}Options(2)"), "{0}")
    return g.assign(form.format(v.name), (n, c, h // 2, w // 2))


def to_flat(g, v):
    if len(v.shape) == 3:
        return pool_sequence(g, v)
    n, c, h, w = v.shape
    if g.r.random() < 0.5:
        return g.assign(f"torch::adaptive_avg_pool2d({v.name}, {{1, 1}}).flatten(1)", (n, c))
    if g.r.random() < 0.4:
        return g.assign(f"{v.name}.mean({{2, 3}})", (n, c))
    return g.assign(g.r.choice(["{0}.view({{{0}.size(0), -1}})", "{0}.flatten(1)", "torch::flatten({0}, 1)", f"{{0}}.reshape({{{{{n}, {c * h * w}}}}})"]).format(v.name), (n, c * h * w))


def block(g, v):
    """A Sequential of its own."""
    r = g.r
    d = v.shape[-1]
    parts = []
    for _ in range(r.randint(1, 2)):
        parts.append(f"torch::nn::Linear({d}, {d})")
        name, options = r.choice(ACTIVATION_MODULES)
        parts.append(f"torch::nn::{name}({options})")
    if r.random() < 0.3:
        parts.append("torch::nn::Functional(torch::tanh)")
    seq = g.module("block", "Sequential", ", ".join(parts))
    return g.assign(g.call(seq, v.name), v.shape)


def module_list(g, v):
    r = g.r
    d = v.shape[-1]
    name = g.module_list("layers", [f"torch::nn::Linear({d}, {d})"] * r.randint(2, 3))
    h = g.assign(v.name, v.shape, new="h")
    act = r.choice(["torch::relu({0})", "torch::tanh({0})", "{0} + 0.1", "torch::sigmoid({0})"])
    if r.random() < 0.5:
        g.line(f"for (size_t i = 0; i < {name}->size(); ++i)")
        layer = f"{name}[i]"
    else:
        g.line(f"for (const auto& layer : *{name})")
        layer = "layer"
    g.line("  " + h.name + " = " + act.format(f"{layer}->as<torch::nn::Linear>()->forward({h.name})") + ";")
    return h


def collected(g, v):
    """A loop that collects what it makes."""
    r = g.r
    acts, i = g.fresh(r.choice(["acts", "states", "history", "taps"])), g.fresh("i")
    h = g.assign(v.name, v.shape, new="h") if v.data or r.random() < 0.6 else v
    act = r.choice(["torch::tanh({0})", "torch::sigmoid({0})", "{0} * 0.9 + 0.1", "{0}.relu() + 0.05", "torch::softplus({0})"])
    g.line(f"std::vector<torch::Tensor> {acts};\nfor (int {i} = 0; {i} < {r.choice([2, 3])}; ++{i}) {{\n  {h.name} = {act.format(h.name)};\n  {acts}.{r.choice(['push_back', 'emplace_back'])}({h.name});\n}}")
    h.data = v.data
    if not v.data:
        g.derived.add(acts)
        g.values.insert(max(0, len(g.values) - 1), Value(f"{acts}[0]", v.shape))
    g.between()
    end = r.random()
    if end < 0.4:
        return g.assign(f"torch::stack({acts}).sum(0)", v.shape)
    if end < 0.6:
        return g.assign(f"{h.name} + {acts}[0]", v.shape)
    if end < 0.8 and len(v.shape) == 2:
        return g.assign(f"torch::cat({{{acts}[0], {acts}[1]}}, 1)", (v.shape[0], 2 * v.shape[1]))
    total = g.assign(f"{acts}.back()", v.shape, fresh=True)
    g.line(f"for (const auto& a : {acts}) {total.name} = {total.name} + 0.3 * a;")
    return total


def user_module(g, v):
    """A class of the user's with a forward of its own, which may hold a site."""
    r = g.r
    name = g.free(r.choice(["Block", "Stage", "Unit", "Mixer"])) if g.depth == 0 else None
    if name is None:
        return activation(g, v)
    g.taken.add(name)
    with g.inner_module():
        argument = r.choice(["x", "input", "t"])
        g.taken.add(argument)
        g.values = [Value(argument, v.shape, v.data)]
        h = linear(g, g.values[0], v.shape[-1])
        g.between()
        h = activation(g, g.values[-1])
        g.between()
        if r.random() < 0.4:
            h = layer(g, g.values[-1])
        g.flush_uses()
        for emit in g.laters:
            emit()
        h = g.values[-1]
        shape = h.shape
        text = g.render_class(name, "\n".join("  " + l for t in g.lines for l in t.split("\n")), argument, h.name, "inner")
    g.helper(text)
    block = g.member(g.free("block"), name, "", "module")
    return g.assign(g.call(block, v.name), shape)


def stage_function(g, v):
    """A function of the user's that does a few things to a tensor, and may hold a site."""
    r = g.r
    if g.depth:
        return activation(g, v)
    with g.inner_module():
        argument = r.choice(["x", "input", "t"])
        g.taken.add(argument)
        g.values = [Value(argument, v.shape, v.data)]
        activation(g, g.values[0])
        g.between()
        activation(g, g.values[-1])
        g.between()
        g.flush_uses()
        for emit in g.laters:
            emit()
        h = g.values[-1]
        text = "\n".join("  " + l for t in g.lines for l in t.split("\n"))
        plain = not g.members
        by = "const torch::Tensor& " if not g.assigned(argument, [text]) and r.random() < 0.4 else "torch::Tensor "
    if not plain:
        return activation(g, v)
    name = g.free(r.choice(["stage", "refine", "postprocess"]))
    g.taken.add(name)
    g.helper(f"{r.choice(['', 'static '])}torch::Tensor {name}({by}{argument}) {{\n{text}\n  return {h.name};\n}}")
    return g.assign(f"{name}({v.name})", h.shape)


def layer(g, v):
    r = g.r
    if len(v.shape) == 4:
        return r.choice([conv, conv, activation, activation, norm_layer, pool, residual, gate])(g, v)
    if len(v.shape) == 3:
        return r.choice([linear, activation, activation, norm_layer, attention, recurrent, residual, gate, dropout])(g, v)
    if v.shape[1] > 16:
        return linear(g, v)
    choices = [linear, linear, activation, activation, activation, activation, activation, gate, norm_layer, residual, residual, gate, gate, normalise, views, dropout, block, module_list, user_module, user_module, stage_function, collected, collected]
    if v.shape[1] % 2 == 0 and r.random() < 0.3:
        return attention(g, to_sequence(g, v))
    return r.choice(choices)(g, v)
