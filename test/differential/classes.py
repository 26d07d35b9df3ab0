"""How the members of a model are written down: as a module class, a struct or local variables."""
import re

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


def indent(lines, depth=1):
    if isinstance(lines, str):
        lines = [lines]
    pad = "  " * depth
    return "\n".join(pad + line if line.strip() else line for text in lines for line in text.split("\n"))


class Classes:
    """Part of programs.Program."""

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
