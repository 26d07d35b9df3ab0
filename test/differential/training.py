"""The training loop around a forward pass: optimizer, losses, and the order of a step."""
from classes import indent
from layers import BATCH
from markup import Generated, site


class Training:
    """Part of programs.Program."""

    #---- losses

    def losses(self, kind, out, target, outputs):
        r = self.r
        if kind == "class":
            return r.choice(["torch::nn::functional::cross_entropy({0}, {1})", "F::cross_entropy({0}, {1})", "torch::nll_loss(torch::log_softmax({0}, 1), {1})",
                             "F::nll_loss(F::log_softmax({0}, 1), {1})", "torch::nn::CrossEntropyLoss()({0}, {1})"]).format(out, target)
        return r.choice(["torch::mse_loss({0}, {1})", "F::mse_loss({0}, {1})", "({0} - {1}).pow(2).mean()", "torch::smooth_l1_loss({0}, {1})", 
                         "torch::nn::MSELoss()({0}, {1})", "({0} * {1}).mean()", "{0}.pow(2).mean()", "torch::binary_cross_entropy_with_logits({0}, torch::sigmoid({1}))", "({0} - {1}).square().sum()",
                         "{0}.sum()", "F::huber_loss({0}, {1})", "torch::logsumexp({0}, 1).mean()"]).format(out, target)

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
            k = self.site("identity", meant=["stale"])
            main[clone_at] = main[clone_at].replace(f"({params},", f"({site(k, 'copies', params)},", 1)
            main.insert(clone_at, f"std::vector<torch::Tensor> copies;\nfor (const auto& p : {params}) copies.push_back(p.detach().clone().requires_grad_(true));§{k}§")
        if order == "no zero_grad":
            zero = site(self.site("order", meant=["stale"]), "", zero)
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
            loop.insert(-1, site(self.site("order", meant=["stale"]), f"{opt}.step();", "") + "§1§")
        loop += self.after_backward
        loop += sections["after_backward"]
        if r.random() < 0.12:
            loop.append(f"torch::nn::utils::clip_grad_norm_({params}, 1.0);")
        loop.append(f"‹probe::gradients();›{opt}.step();‹probe::values();›")
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
        return Generated(self.seed, "\n".join(text) + "\n", self.families, self.ambiguities, self.meant, not self.floats, {"style": self.style, "entry": entry})
