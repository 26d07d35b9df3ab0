"""Whole training programs of other shapes than one forward pass under one optimizer: two models, two
losses, closures, carried state, accumulation, loss scales, parameters in lists, guards in callers.

Each function writes one program and names the points at which it may go wrong: what a person might
write there by mistake, what is right, and what only looks wrong. Which points are wrong is drawn;
whether that harms, running it tells.
"""
import random

from classes import indent
from markup import Generated, choose, site


class Scene:
    """The choices of one program. `chosen`: the points that are written wrongly."""

    def __init__(self, seed, chosen=()):
        self.r = random.Random(seed * 7919 + 13)
        self.chosen = set(chosen)
        self.points = 0
        self.families, self.ambiguous, self.meant = {}, set(), {}
        self.floats = False
        self.top = []  # in front of main

    def point(self, family, wrong, right, alike=(), meant=(), doubtful=False):
        """One of three spellings. `@` in a spelling marks the line to change (without one: its last line)."""
        r = self.r
        number, self.points = self.points, self.points + 1
        harmless = r.random() < 0.5 and r.choice(list(alike)) if alike else None
        if number in self.chosen:
            text = wrong
        elif harmless:
            text, family = harmless, "look-alike"
        else:
            return right.replace("@", "")
        k = len(self.families) + 1
        self.families[k] = family
        if meant and number in self.chosen:
            self.meant[k] = set(meant)
        if doubtful:
            self.ambiguous.add(k)
        if "@" not in text and text.strip():
            text += "@"
        return site(k, text.replace("@", f"§{k}§"), right.replace("@", ""))

    def last(self):
        """The mark of the last point, for a line elsewhere; nothing where the point was written rightly."""
        k = len(self.families)
        return f"§{k}§" if k and self.families[k] != "look-alike" else ""

    def steps(self):
        return self.r.choice([2, 3])

    def loop(self, body):
        n = self.steps()
        head = self.r.choice([f"for (int step = 0; step < {n}; ++step) {{", f"for (int epoch = 1; epoch <= {n}; epoch++) {{", f"for (size_t it = 0; it < {n}; ++it) {{"])
        return head + "\n" + indent(body) + "\n}"

    def act(self, x):
        return self.r.choice(["torch::tanh({0})", "torch::sigmoid({0})", "{0}.tanh()", "torch::softplus({0})", "torch::silu({0})"]).format(x)

    def loss(self, out, y):
        return self.r.choice(["torch::mse_loss({0}, {1})", "({0} - {1}).pow(2).mean()", "F::mse_loss({0}, {1})", "F::smooth_l1_loss({0}, {1})"]).format(out, y)

    def optimizer(self, name, parameters):
        kind = self.r.choice(["SGD", "SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
        rate = self.r.choice(["0.05", "0.01"])
        options = self.r.choice([f"torch::optim::{kind}Options({rate})", rate])
        return f"torch::optim::{kind} {name}({parameters}, {options});"

    def net(self, name, inputs, outputs):
        """A module with two layers; returns how a variable of it is made. Called by `->forward`."""
        r, hidden = self.r, self.r.choice([4, 6])
        holder = r.random() < 0.6
        impl = name + ("Impl" if holder else "")
        middle = r.choice(["    h = {0};", "    auto gate = torch::sigmoid(h);\n    h = h * gate;", "    h = {0} + 0.1 * h;"]).format(self.act("h"))
        self.top.append(f"struct {impl} : torch::nn::Module {{\n  torch::nn::Linear a{{nullptr}}, b{{nullptr}};\n  {impl}() {{\n    a = register_module(\"a\", torch::nn::Linear({inputs}, {hidden}));\n"
                        f"    b = register_module(\"b\", torch::nn::Linear({hidden}, {outputs}));\n  }}\n  torch::Tensor forward(torch::Tensor x) {{\n    auto h = a->forward(x);\n{middle}\n    return b->forward(h);\n  }}\n}};"
                        + (f"\nTORCH_MODULE({name});" if holder else ""))
        return (lambda v: f"{name} {v};") if holder else (lambda v: f"auto {v} = std::make_shared<{name}>();")


def gradients(parameters):
    return f"‹probe::gradients({parameters});›"


def adversarial(s):
    """A generator and a discriminator that train each other."""
    r = s.r
    g, d = s.net("Generator", 3, 4), s.net("Critic", 4, 1)
    main = [g("gen"), d("critic"), s.optimizer("g_opt", s.point("identity", "critic->parameters()", "gen->parameters()", meant=["stale"]).replace("\n", "")),
            s.optimizer("d_opt", "critic->parameters()"), "‹probe::parameters([&] { auto all = gen->parameters(); for (auto& p : critic->parameters()) all.push_back(p); return all; }());›"]
    reuse = r.random() < 0.6
    fake = "fake" if reuse else "gen->forward(torch::randn({4, 3}))"
    clear_d = s.point("order", "", "d_opt.zero_grad();", meant=["stale"])
    mark = s.last() if "«" in clear_d else ""
    clip = s.r.random() < 0.35
    body = ["auto real = torch::randn({4, 4});", "auto fake = gen->forward(torch::randn({4, 3}));",
            clear_d,
            "auto d_loss = " + r.choice(["torch::softplus(-critic->forward(real)).mean() + torch::softplus(critic->forward({0})).mean();", "critic->forward({0}).mean() - critic->forward(real).mean();"])
            .replace("{0}", s.point("missing-detach", "fake", "fake.detach()", alike=["fake.detach().clone()"])),
            s.point("parameter-write", "for (auto& p : critic->parameters()) p.data().clamp_(-0.3, 0.3);", "", alike=[""]) if clip else "",
            "d_loss.backward();" + mark, gradients("critic->parameters()"), "d_opt.step();", "‹probe::values();›",
            "for (auto& p : critic->parameters()) p.data().clamp_(-0.5, 0.5);" if r.random() < 0.3 else "",
            r.choice(["for (auto& p : critic->parameters()) p.requires_grad_(false);", "", ""]),
            "g_opt.zero_grad();",
            s.point("cut", "torch::Tensor score;\n{\n  torch::NoGradGuard no_grad;@\n  score = critic->forward(%s);\n}" % fake, f"auto score = critic->forward({fake});"),
            "auto g_loss = torch::softplus(-score).mean();" if r.random() < 0.5 else "auto g_loss = -score.mean();",
            "g_loss.backward();", gradients("gen->parameters()"), "g_opt.step();", "‹probe::values();›",
            "for (auto& p : critic->parameters()) p.requires_grad_(true);"]
    if not any("requires_grad_(false)" in l for l in body):
        body.pop()
    main.append(s.loop([l for l in body if l]))
    return main


def teacher(s):
    """A student that follows a slowly moving copy of itself."""
    r = s.r
    s.top.append("struct BodyImpl : torch::nn::Cloneable<BodyImpl> {\n  torch::nn::Linear a{nullptr}, b{nullptr};\n  BodyImpl() { reset(); }\n  void reset() override {\n"
                 "    a = register_module(\"a\", torch::nn::Linear(4, 5));\n    b = register_module(\"b\", torch::nn::Linear(5, 2));\n  }\n"
                 f"  torch::Tensor forward(torch::Tensor x) {{ return b->forward({s.act('a->forward(x)')}); }}\n}};\nTORCH_MODULE(Body);")
    form = r.random()
    moving = r.choice(["targets[i].mul_(0.9).add_(sources[i], 0.1);", "targets[i].copy_(0.9 * targets[i] + 0.1 * sources[i]);", "targets[i].lerp_(sources[i], 0.1);"])
    update = ["auto targets = target->parameters(), sources = online->parameters();"]
    if form < 0.4:
        update.append(s.point("leaf-write", "for (size_t i = 0; i < targets.size(); ++i)\n  %s@" % moving, "torch::NoGradGuard no_grad;\nfor (size_t i = 0; i < targets.size(); ++i)\n  %s" % moving,
                              alike=["for (size_t i = 0; i < targets.size(); ++i)\n  %s" % moving.replace("targets[i].mul_", "targets[i].data().mul_").replace("targets[i].copy_", "targets[i].data().copy_").replace("targets[i].lerp_", "targets[i].data().lerp_").replace("sources[i]", "sources[i].data()")]))
    elif form < 0.7:
        update.append("torch::NoGradGuard no_grad;\nfor (size_t i = 0; i < targets.size(); ++i)\n  " + s.point("lost-write", "targets[i] = 0.9 * targets[i] + 0.1 * sources[i];", "targets[i].copy_(0.9 * targets[i] + 0.1 * sources[i]);", meant=["stale", "wrong"]))
    else:
        update.append("torch::NoGradGuard no_grad;\nfor (size_t i = 0; i < targets.size(); ++i)\n  " + moving)
    as_function = r.random() < 0.5
    if as_function:
        s.top.append("void follow(Body& target, Body& online) {\n%s\n}" % indent(update))
        update = ["follow(target, online);"]
    else:
        update = ["{", indent(update), "}"]
    early = r.random() < 0.3
    out = s.point("cut", "auto guess = online->forward(x).detach();", "auto guess = online->forward(x);", alike=["auto guess = online->forward(x);\nauto shown = guess.detach();\n(void)shown.sum().item<double>();"])
    wanted = r.choice(["torch::Tensor wanted;\n{\n  torch::NoGradGuard no_grad;\n  wanted = target->forward(x + 0.1);\n}", "auto wanted = target->forward(x + 0.1).detach();", "auto wanted = target->forward(x + 0.1);"])
    main = ["Body online;", s.point("identity", "Body target = online;", "Body target(std::dynamic_pointer_cast<BodyImpl>(online->clone()));", meant=["stale", "wrong"]),
            "{\n  torch::NoGradGuard no_grad;\n  for (auto& p : target->parameters()) p.mul_(0.5);\n}" if r.random() < 0.3 else "",
            s.optimizer("opt", "online->parameters()"), "auto x = torch::randn({4, 4});",
            "‹probe::parameters([&] { auto all = online->parameters(); for (auto& p : target->parameters()) all.push_back(p); return all; }());›"]
    body = [wanted, out, f"auto loss = {s.loss('guess', 'wanted')} + guess.pow(2).mean();‹probe::loss(loss);›", "opt.zero_grad();"] + (update if early else []) + \
           ["loss.backward();", gradients("online->parameters()"), "opt.step();", "‹probe::values();›"] + ([] if early else update)
    main.append(s.loop(body))
    return [l for l in main if l]


def two_losses(s):
    """A trunk with two heads."""
    r = s.r
    trunk, one, two = s.net("Trunk", 4, 6), s.net("Actor", 6, 2), s.net("Value", 6, 1)
    every = "[&] { auto all = trunk->parameters(); for (auto& p : actor->parameters()) all.push_back(p); for (auto& p : critic->parameters()) all.push_back(p); return all; }()"
    main = [trunk("trunk"), one("actor"), two("critic"), f"auto all = {every};", "‹probe::parameters(all);›", s.optimizer("opt", "all")]
    body = ["auto x = torch::randn({4, 4});", "auto h = " + s.act("trunk->forward(x)") + ";",
            "auto first = " + s.loss("actor->forward(h)", "torch::ones({4, 2})") + ";", "auto second = " + s.loss("critic->forward(h)", "torch::zeros({4, 1})") + ";"]
    form = r.random()
    if form < 0.4:
        both = s.point("backward-twice", "first.backward();@\nsecond.backward();@", "first.backward({}, /*retain_graph=*/true);\nsecond.backward();", alike=["(first + second).backward();", "torch::autograd::backward({first, second}, {});"])
        body += ["opt.zero_grad();", both, gradients("all"), "opt.step();", "‹probe::values();›"]
    elif form < 0.6:
        early = s.point("order", "opt.step();", "", alike=[""], meant=["stale"])
        body += ["opt.zero_grad();", "first.backward({}, true);", early, "second.backward();", gradients("all"), "opt.step();", "‹probe::values();›"]
    else:
        add = s.point("cut", r.choice(["auto total = first + second.item<double>();", "auto total = first + second.detach();", "double aux = second.item<double>();@\nauto total = first + 0.5 * aux;"]), "auto total = first + second;",
                      alike=["auto total = first + second;\nstd::cout << second.item<double>() << std::endl;", "std::vector<double> log;\nlog.push_back(first.item<double>());\nauto total = torch::stack({first, second}).sum();"])
        zero = s.point("order", "", "opt.zero_grad();", meant=["stale"])
        mark = s.last() if "«" in zero else ""
        body += [add, zero, "total.backward();" + mark, gradients("all"), "opt.step();", "‹probe::values();›"]
    main.append(s.loop([l for l in body if l]))
    return main


def closure(s):
    """The step is given a function that computes the loss."""
    r = s.r
    net = s.net("Net", 3, 2)
    lbfgs = r.random() < 0.5
    held = r.choice(["auto closure = [&]() -> torch::Tensor {", "std::function<torch::Tensor()> closure = [&]() {", "auto closure = [&] {"])
    zero = s.point("order", "", "opt.zero_grad();", meant=["stale"])
    mark = s.last() if "«" in zero else ""
    returned = "return loss;"
    inner = [zero, "auto out = net->forward(x);", f"auto loss = {s.loss('out', 'y')};",
             s.point("inplace", "out.mul_(0.5);", "", alike=["out.detach().clone().mul_(0.5);", "auto shown = out * 0.5;\nshown.add_(1);"]),
             "loss.backward();" + mark, gradients("net->parameters()"), returned]
    main = [net("net"), "torch::optim::LBFGS opt(net->parameters(), torch::optim::LBFGSOptions(0.1).max_iter(2));" if lbfgs else s.optimizer("opt", "net->parameters()"),
            "auto x = torch::randn({4, 3});", "auto y = torch::randn({4, 2});", "‹probe::parameters(net->parameters());›", held + "\n" + indent([l for l in inner if l]) + "\n};"]
    if lbfgs or r.random() < 0.5:
        step = s.point("guard", "opt.step(closure);", "opt.step(closure);", alike=["torch::NoGradGuard outer;@\nopt.step(closure);"]) if r.random() < 0.4 else "opt.step(closure);"
    else:
        step = s.point("guard", "{\n  torch::NoGradGuard no_grad;@\n  closure();\n}\nopt.step();", "closure();\nopt.step();", alike=["auto loss = closure();\nopt.step();\nstd::cout << loss.item<double>() << std::endl;"])
    main.append(s.loop([step, "‹probe::values();›"]))
    return main


def recurrent(s):
    """State that is carried from step to step."""
    r = s.r
    kind = r.choice(["LSTM", "GRU", "cell"])
    carried = r.random() < 0.7
    main = []
    if kind == "cell":
        s.top.append("struct CellImpl : torch::nn::Module {\n  torch::nn::Linear in{nullptr}, rec{nullptr}, out{nullptr};\n  CellImpl() {\n    in = register_module(\"in\", torch::nn::Linear(3, 5));\n"
                     "    rec = register_module(\"rec\", torch::nn::Linear(5, 5));\n    out = register_module(\"out\", torch::nn::Linear(5, 2));\n  }\n"
                     "  torch::Tensor next(torch::Tensor x, torch::Tensor h) { return torch::tanh(in->forward(x) + rec->forward(h)); }\n};\nTORCH_MODULE(Cell);")
        main += ["Cell net;", s.optimizer("opt", "net->parameters()"), "‹probe::parameters(net->parameters());›", "auto h = torch::zeros({4, 5});"]
        keep = s.point("missing-detach", "", "h = h.detach();", alike=["h.detach_();"])
        mark = s.last() if "«" in keep else ""
        tail = [keep] if carried else []
        if not carried:
            mark = ""
        clears = r.random() < 0.5
        scaled_state = s.point("inplace", "h.mul_(0.9);", "h = h * 0.9;", alike=["h = h.mul(0.9);"])
        if "h = h" in choose(scaled_state, lambda k: 0):
            scaled_state += mark  # it is this value that is carried over
        body = (["opt.zero_grad();"] if clears else []) + ([] if carried else ["h = torch::zeros({4, 5});"]) + \
               ["torch::Tensor loss = torch::zeros({1});", "for (int t = 0; t < 3; ++t) {",
                "  h = net->next(torch::randn({4, 3}), h);" + mark,
                "  " + scaled_state,
                "  loss = loss + net->out->forward(h).pow(2).mean();", "}"]
        if "opt.zero_grad();" not in body:
            body.append("opt.zero_grad();")
        body += ["loss.backward();", gradients("net->parameters()"), "opt.step();", "‹probe::values();›"] + tail
        main.append(s.loop([l for l in body if l.strip()]))
        return main
    state = "std::tuple<torch::Tensor, torch::Tensor>" if kind == "LSTM" else "torch::Tensor"
    main += [f"torch::nn::{kind} rnn(torch::nn::{kind}Options(3, 4).batch_first(true));", "torch::nn::Linear head(4, 2);",
             "std::vector<torch::Tensor> params;", "for (auto& p : rnn->parameters()) params.push_back(p);", "for (auto& p : head->parameters()) params.push_back(p);", "‹probe::parameters(params);›",
             s.optimizer("opt", "params")]
    if kind == "LSTM":
        s.floats = True  # with doubles, which nobody trains with, another kernel runs and saves other values
        main.append(f"{state} state{{torch::zeros({{1, 4, 4}}), torch::zeros({{1, 4, 4}})}};")
        keep = s.point("missing-detach", "state = next;", "state = std::make_tuple(std::get<0>(next).detach(), std::get<1>(next).detach());")
    else:
        main.append("auto state = torch::zeros({1, 4, 4});")
        keep = s.point("missing-detach", "state = next;", "state = next.detach();", alike=["state = next.data();", "state = next.detach().clone();"])
    body = ["auto x = torch::randn({4, 5, 3});", "auto [seq, next] = rnn->forward(x, state);", keep,
            "auto out = head->forward(seq);", "auto last = out.select(1, 4);",
            s.point("inplace", "seq.mul_(0.5);", "", alike=["out.clone().detach().mul_(2);", "auto copy = seq.clone();\ncopy.mul_(0.5);"]),
            "auto loss = " + s.loss("last", "torch::ones({4, 2})") + " + out.mean();", "opt.zero_grad();", "loss.backward();", gradients("params"), "opt.step();", "‹probe::values();›"]
    main.append(s.loop([l for l in body if l]))
    return main


def accumulation(s):
    """Several backwards to a step."""
    r = s.r
    net = s.net("Net", 3, 2)
    form = r.random()
    main = [net("net"), s.optimizer("opt", "net->parameters()"), "auto x = torch::randn({8, 3});", "auto y = torch::randn({8, 2});", "‹probe::parameters(net->parameters());›"]
    clip = "torch::nn::utils::clip_grad_norm_(net->parameters(), 0.05);"
    discard = s.point("order", "opt.zero_grad();", "", alike=[""])
    early = s.point("clip", clip, "")
    late = early and "«" in early
    behind = s.point("clip", clip, "") if form > 0.6 and not late else ""
    moved = site(len(s.families), "", clip) if "«" in behind else ""
    inner = [discard, "auto part = x.narrow(0, 2 * i, 2);", f"auto loss = {s.loss('net->forward(part)', 'y.narrow(0, 2 * i, 2)')} / 4;", "loss.backward();", early]
    main.append(s.loop(["opt.zero_grad();", "for (int i = 0; i < 4; ++i) {\n" + indent([l for l in inner if l]) + "\n}",
                        site(len(s.families), "", clip) if late else moved or (clip if form < 0.4 else ""),
                        gradients("net->parameters()"), "opt.step();", "‹probe::values();›", behind]))
    return main


def lists(s):
    """Parameters that are kept in a container of the module."""
    r = s.r
    n = r.choice([2, 3])
    how = r.choice(["vector", "map", "list"])
    width = 4
    make = f"torch::randn({{{width}, {width}}}) * 0.5"
    declare = {"vector": "std::vector<torch::Tensor> ws;", "map": "std::map<std::string, torch::Tensor> ws;", "list": "torch::nn::ParameterList ws;"}[how]
    name = '"w" + std::to_string(i)'
    if how == "list":
        add = f"ws->append(({make}).set_requires_grad(true));"
        after = s.point("identity", "", 'register_module("ws", ws);', meant=["stale", "undefined"])
        mark = s.last() if "«" in after else ""
        ctor = [f"for (int i = 0; i < {n}; ++i)\n  {add}{mark}", after]
        use = f"for (int i = 0; i < {n}; ++i)\n  h = {s.act('torch::mm(h, ws[i])')};"
        declare += mark
    else:
        left = "ws.push_back({0});" if how == "vector" else "ws[" + name + "] = {0};"
        ctor = [f"for (int i = 0; i < {n}; ++i)\n  " + s.point("identity", left.format(f"({make}).set_requires_grad(true)"), left.format(f"register_parameter({name}, {make})"), meant=["stale", "undefined"])]
        use = "for (const auto& w : ws)\n  h = " + s.act("torch::mm(h, w)") + ";" if how == "vector" else "for (auto& [key, w] : ws)\n  h = " + s.act("torch::mm(h, w)") + ";"
    scale = s.point("identity", f"scale = scale / scale.norm();@\nh = h * scale;", "auto unit = scale / scale.norm();\nh = h * unit;", meant=["stale", "undefined", "wrong"])
    s.top.append(f"struct Mixer : torch::nn::Module {{\n  {declare}\n  torch::Tensor scale;\n  torch::nn::Linear fc{{nullptr}};\n  Mixer() {{\n{indent([c for c in ctor if c], 2)}\n"
                 f"    scale = register_parameter(\"scale\", torch::rand({{{width}}}) + 0.5);\n    fc = register_module(\"fc\", torch::nn::Linear({width}, 2));\n  }}\n"
                 f"  torch::Tensor forward(torch::Tensor x) {{\n    auto h = x;\n{indent(use, 2)}\n{indent(scale, 2)}\n    return fc->forward(h);\n  }}\n}};")
    watch = {"vector": "for (auto& w : net.ws) all.push_back(w);", "map": "for (auto& w : net.ws) all.push_back(w.second);", "list": "for (auto& w : net.ws->parameters()) all.push_back(w);"}[how]
    main = ["Mixer net;", f"‹probe::parameters([&] {{ std::vector<torch::Tensor> all; {watch} all.push_back(net.scale); all.push_back(net.fc->weight); return all; }}());›",
            s.optimizer("opt", "net.parameters()"), f"auto x = torch::randn({{4, {width}}});", "auto y = torch::randn({4, 2});"]
    main.append(s.loop(["opt.zero_grad();", "auto loss = " + s.loss("net.forward(x)", "y") + ";", "loss.backward();‹probe::gradients();›", "opt.step();", "‹probe::values();›"]))
    return main


def evaluation(s):
    """Training with a validation in between that switches grad mode."""
    r = s.r
    net = s.net("Net", 3, 2)
    typed = net("net").split()[0] if not net("net").startswith("auto") else "std::shared_ptr<Net>"
    restore = r.choice(["torch::GradMode::set_enabled(true);", "at::GradMode::set_enabled(true);"])
    off = restore.replace("true", "false")
    form = r.random()
    total = "double total = net->forward(x).mean().item<double>();"
    if form < 0.35:
        back = s.point("grad-mode", "", restore)
        mark = s.last() if "«" in back else ""
        body = [off + mark, total, back, "return total;"]
    elif form < 0.65:  # forgotten on an early return
        early = s.point("grad-mode", "if (total < 1e9)\n  return total;", f"if (total < 1e9) {{\n  {restore}\n  return total;\n}}".replace("@", ""))
        mark = s.last() if "«" in early else ""
        body = [off + mark, total, early, restore, "return -total;"]
    elif form < 0.85:
        reset = s.point("grad-mode", "", "guard.reset();") if r.random() < 0 else "guard.reset();"
        body = ["std::optional<torch::NoGradGuard> guard;", "guard.emplace();", total, reset, "return total;"]
    else:
        body = [r.choice(["torch::NoGradGuard no_grad;", "torch::InferenceMode inference;", "torch::AutoGradMode mode(false);"]), total, "return total;"]
    s.top.append(f"double evaluate({typed}& net, torch::Tensor x) {{\n{indent([l for l in body if l])}\n}}")
    held = r.random() < 0.25
    main = [net("net"), s.optimizer("opt", "net->parameters()"), "auto x = torch::randn({4, 3});", "auto y = torch::randn({4, 2});", "‹probe::parameters(net->parameters());›"]
    hint = s.point("cut", "auto loss = torch::tensor(error.item<double>(), torch::requires_grad());", "auto loss = error;", alike=["auto loss = error;\nauto number = torch::tensor(error.item<double>());\nstd::cout << number << std::endl;"], meant=["undefined"])
    step = ["auto out = net->forward(x);", "auto error = " + s.loss("out", "y") + ";", hint, "opt.zero_grad();", "loss.backward();", gradients("net->parameters()"), "opt.step();", "‹probe::values();›", "std::cout << evaluate(net, x) << std::endl;"]
    if held:
        s.top.append(f"torch::Tensor predict({typed}& net, torch::Tensor x) {{\n  return {s.act('net->forward(x)')};\n}}")
        step[0] = s.point("guard", "torch::Tensor out;\n{\n  torch::AutoGradMode off(false);@\n  out = predict(net, x);\n}", "torch::Tensor out = predict(net, x);", alike=["torch::Tensor out;\n{\n  torch::AutoGradMode on(true);@\n  out = predict(net, x);\n}"])
    main.append(s.loop(step))
    return main


def scaled(s):
    """A loss scale taken back by hand."""
    r = s.r
    net = s.net("Net", 3, 2)
    clip = "torch::nn::utils::clip_grad_norm_(net->parameters(), 0.01);"
    unscale = r.choice(["for (auto& p : net->parameters())\n  p.grad().div_(scale);", "for (auto& p : net->parameters())\n  p.mutable_grad() = p.grad() / scale;", "for (auto& p : net->parameters())\n  p.grad().mul_(1.0 / scale);"])
    form = r.random()
    main = [net("net"), s.optimizer("opt", "net->parameters()"), "auto x = torch::randn({4, 3});", "auto y = torch::randn({4, 2});", r.choice(["double scale = 1024;", "float scale = 256.f;"]), "‹probe::parameters(net->parameters());›"]
    after, before = clip, ""
    grow = s.point("scaler", "scale *= 2;", "", alike=[""]) if form > 0.6 else ""
    if form < 0.5:
        before = s.point("scaler", clip, "")
        if "«" in before:
            k = len(s.families)
            after = site(k, "", clip)
    elif form < 0.6:
        after = ""
    if "«" in grow:
        unscale += s.last()
    late = site(len(s.families), "", "scale *= 2;") if "«" in grow and s.families[len(s.families)] == "scaler" else "scale *= 2;"
    main.append(s.loop([l for l in ["opt.zero_grad();", "auto loss = " + s.loss("net->forward(x)", "y") + ";", "(loss * scale).backward();", grow, before, unscale, after, gradients("net->parameters()"), "opt.step();", "‹probe::values();›",
                                    late if form > 0.6 else ""] if l]))
    return main


def collections(s):
    """Values that travel in containers and structs, and helpers that write."""
    r = s.r
    n = 4
    net = s.net("Net", 4, 4)
    kind = r.choice(["map", "pair", "struct", "vector"])
    saved = r.random() < 0.6  # whether somebody saved what is written
    value = r.choice(["torch::sigmoid(h)", "h.exp()", "torch::tanh(h)"]) if saved else r.choice(["h + 1", "h - 0.5", "h.mul(2)"])
    holder, e = {"map": ("std::map<std::string, torch::Tensor> feats;\nfeats[\"a\"] = VALUE;\nfeats[\"b\"] = h.mean(0);", 'feats["a"]'),
                 "pair": ("auto feats = std::make_pair(VALUE, h.mean(0));", "feats.first"),
                 "struct": ("Features feats{VALUE, h.mean(0)};", "feats.a"),
                 "vector": ("std::vector<torch::Tensor> feats;\nfeats.push_back(VALUE);\nfeats.push_back(h.mean(0));", "feats[0]")}[kind]
    other = {"map": 'feats["b"]', "pair": "feats.second", "struct": "feats.b", "vector": "feats[1]"}[kind]
    if kind == "struct":
        s.top.append("struct Features {\n  torch::Tensor a, b;\n};")
    write = r.choice([f"{e}.mul_(0.5);", f"{e}[0] = 0.1;", f"{e}.clamp_(0.1, 0.4);", f"{e} *= 2;", f"{e}.index_put_({{0}}, 0.2);", "TEMPLATE"])
    if write == "TEMPLATE":
        s.top.append("template <class T>\nvoid halve(T& t) {\n  t.mul_(0.5);\n}" if False else "template <class T>\nT& scaled_by(T& t, double by) {\n  t = t * by;\n  return t;\n}")
        write = f"scaled_by({e}, 0.5);"
    right = f"{e} = {e}.clone();\n{write}"
    skip = r.random() < 0.35
    main = [net("net"), s.optimizer("opt", "net->parameters()"), "auto x = torch::randn({4, 4});", "‹probe::parameters(net->parameters());›"]
    body = ["auto h = net->forward(x);", holder.replace("VALUE", value), s.point("inplace", write, right, alike=[f"auto copy = {e}.clone();\ncopy.mul_(0.5);\n{right}"]),
            f"auto loss = ({e} * {e}).mean() + {other}.pow(2).sum();‹probe::loss(loss);›"]
    if skip:
        body.append(r.choice(["if (!std::isfinite(loss.item<double>()))\n  continue;", "if (loss.item<double>() > 1e12)\n  break;"]))
    body += ["opt.zero_grad();", "loss.backward();‹probe::gradients();›", "opt.step();", "‹probe::values();›"]
    main.append(s.loop(body))
    return main


def buffers(s):
    """Data copied into memory that is used again, and results collected over steps."""
    r = s.r
    net = s.net("Net", 3, 1)
    main = [net("net"), s.optimizer("opt", "net->parameters()"), "‹probe::parameters(net->parameters());›", "std::vector<float> memory(12, 0.5f);"]
    s.floats = True
    batch = s.point("buffer-reuse", "kept.push_back(torch::from_blob(memory.data(), {4, 3}));", "kept.push_back(torch::from_blob(memory.data(), {4, 3}).clone());")
    history = s.point("graph-kept", "history = history + loss;", "history = history + loss.detach();", alike=["history = history + loss.item<double>();"], doubtful=True)
    total = r.random() < 0.5
    main += ["std::vector<torch::Tensor> kept;", "for (int n = 0; n < 3; ++n) {\n  for (int i = 0; i < 12; ++i)\n    memory[i] = 0.1f * (i + 1) * (n + 1);\n%s\n}" % indent(batch), "torch::Tensor history = torch::zeros({});"]
    main.append("for (auto& x : kept) {\n" + indent([l for l in ["auto out = " + s.act("net->forward(x)") + ";", "auto loss = " + s.loss("out", "torch::ones({4, 1})") + ";‹probe::loss(loss);›", "opt.zero_grad();", "loss.backward();‹probe::gradients();›", "opt.step();", "‹probe::values();›",
                                                      history if total else ""] if l]) + "\n}")
    return main


SCENARIOS = [(adversarial, 4), (teacher, 4), (two_losses, 4), (closure, 3), (recurrent, 4), (accumulation, 3), (lists, 4), (evaluation, 4), (scaled, 3), (collections, 4), (buffers, 1)]


def program(seed):
    r = random.Random(seed * 31 + 7)
    make = r.choices([f for f, _ in SCENARIOS], [w for _, w in SCENARIOS])[0]
    dry = Scene(seed)
    make(dry)
    wrong = r.choices([0, 1, 2], [35, 60, 5])[0]
    chosen = r.sample(range(dry.points), min(wrong, dry.points))
    s = Scene(seed, chosen)
    main = make(s)
    text = ["#include <torch/torch.h>", "", "#include <cmath>", "#include <functional>", "#include <iostream>", "#include <map>", "#include <optional>", "#include <vector>", "", "namespace F = torch::nn::functional;", ""]
    text += [t + "\n" for t in s.top]
    text.append("@MAIN@\n" + indent([f"torch::manual_seed({r.randint(0, 99)});"] + [l for l in main if l.strip()]) + "\n  return 0;\n}")
    return Generated(seed, "\n".join(text) + "\n", s.families, s.ambiguous, s.meant, not s.floats, {"style": make.__name__, "entry": "main"})
