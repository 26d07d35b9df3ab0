#!/usr/bin/env python3
"""How the cost of the analysis grows with the size of the program.

    size.py --tool BIN/torch-tidy --torch LIBTORCH [--largest 400] [--repeat 3] [SHAPE...]
    size.py --print SHAPE N

Each shape is a family of programs with a size n. Prints milliseconds of analysis (parsing apart) and
syntax nodes evaluated for doubled sizes, and the exponent e of cost ~ n^e that fits them best: 1 is
linear. Exits with 1 where some exponent exceeds --limit.
"""
import argparse
import math
import os
import re
import subprocess
import sys
import tempfile

HEAD = """#include <torch/torch.h>
#include <iostream>
namespace nn = torch::nn;
"""

TRAIN = """
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  for (int epoch = 0; epoch < 10; ++epoch) {
    auto loss = net->forward(torch::randn({4, 8})).pow(2).mean();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
"""


def layers(n):
    """One module of n layers."""
    members = "".join(f"  nn::Linear l{i}{{nullptr}};\n" for i in range(n))
    made = "".join(f'    l{i} = register_module("l{i}", nn::Linear(8, 8));\n' for i in range(n))
    used = "".join(f"    x = torch::relu(l{i}->forward(x));\n" for i in range(n))
    return (HEAD + f"struct NetImpl : nn::Module {{\n{members}  NetImpl() {{\n{made}  }}\n"
            f"  torch::Tensor forward(torch::Tensor x) {{\n{used}    return x;\n  }}\n}};\n"
            "TORCH_MODULE(Net);\nint main() {\n  Net net;\n" + TRAIN + "}\n")


def functions(n):
    """n functions that call each other in a row, around one layer."""
    text = HEAD + "torch::Tensor f0(const torch::Tensor &x) { return x.tanh(); }\n"
    for i in range(1, n):
        text += (f"torch::Tensor f{i}(const torch::Tensor &x) {{ auto y = x * {i}; "
                 f"return {'f%d(y)' % (i - 1) if i % 20 else 'y.sigmoid()'}; }}\n")
    calls = "".join(f"    x = f{i}(x);\n" for i in range(19, n, 20)) or f"    x = f{n - 1}(x);\n"
    return (text + "struct NetImpl : nn::Module {\n  nn::Linear l{nullptr};\n"
            '  NetImpl() { l = register_module("l", nn::Linear(8, 8)); }\n'
            f"  torch::Tensor forward(torch::Tensor x) {{\n    x = l->forward(x);\n{calls}"
            "    return x;\n  }\n};\nTORCH_MODULE(Net);\nint main() {\n  Net net;\n" + TRAIN + "}\n")


def branches(n):
    """n conditions in a row that nobody knows, about what is printed."""
    body = "".join(f'  if (argc > {i}) std::cout << "option {i}";\n' for i in range(n))
    return (HEAD + "int main(int argc, char **argv) {\n  nn::Linear net(8, 8);\n" + body + TRAIN +
            "}\n")


def choices(n):
    """n conditions in a row that decide how a tensor is computed."""
    body = "".join(f"    if (flags[{i}]) x = torch::relu(x);\n" for i in range(n))
    return (HEAD + "struct NetImpl : nn::Module {\n  nn::Linear l{nullptr};\n  bool *flags;\n"
            '  NetImpl(bool *f) : flags(f) { l = register_module("l", nn::Linear(8, 8)); }\n'
            f"  torch::Tensor forward(torch::Tensor x) {{\n    x = l->forward(x);\n{body}"
            "    return x;\n  }\n};\nTORCH_MODULE(Net);\nbool *read(int, char **);\n"
            "int main(int argc, char **argv) {\n  Net net(read(argc, argv));\n" + TRAIN + "}\n")


def loops(n):
    """n loops, nested in fours."""
    body = ""
    for i in range(0, n, 4):
        depth = min(4, n - i)
        for d in range(depth):
            body += f"  for (int i{d} = 0; i{d} < 100; ++i{d})\n"
        body += "    { auto l = net->forward(torch::randn({4, 8})).mean(); optimizer.zero_grad(); " \
                "l.backward(); optimizer.step(); }\n"
    return (HEAD + "int main() {\n  nn::Linear net(8, 8);\n"
            "  torch::optim::SGD optimizer(net->parameters(), 0.1);\n" + body + "}\n")


SHAPES = {f.__name__: f for f in (layers, functions, branches, choices, loops)}


def sources(n):
    """n sources of one program, each a module that main() trains."""
    files = {}
    for i in range(n):
        files[f"m{i}.h"] = (f"#pragma once\n#include <torch/torch.h>\nstruct M{i}Impl : torch::nn::Module {{\n"
                            "  torch::nn::Linear l{nullptr};\n"
                            f"  M{i}Impl();\n  torch::Tensor forward(torch::Tensor x);\n}};\nTORCH_MODULE(M{i});\n")
        files[f"m{i}.cpp"] = (f'#include "m{i}.h"\nM{i}Impl::M{i}Impl() {{ l = register_module("l", '
                              f"torch::nn::Linear(8, 8)); }}\ntorch::Tensor M{i}Impl::forward(torch::Tensor x) "
                              "{ return torch::relu(l->forward(x)); }\n")
    files["main.cpp"] = ("".join(f'#include "m{i}.h"\n' for i in range(n)) + "int main() {\n" +
                         "".join(f"  M{i} m{i};\n" for i in range(n)) +
                         "  auto x = torch::randn({4, 8});\n" +
                         "".join(f"  x = m{i}->forward(x);\n" for i in range(n)) +
                         "  x.mean().backward();\n}\n")
    return files


def measure(options, files):
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in files.items():
            path = os.path.join(folder, name)
            with open(path, "w") as out:
                out.write(text)
            if name.endswith(".cpp"):
                paths.append(path)
        command = [options.tool, "check", "--torch", options.torch, "--stats", "--fail-on=never"]
        command += [f"--extra-arg={a}" for a in options.extra_arg] + paths
        best = None
        for _ in range(options.repeat):
            run = subprocess.run(command, capture_output=True, text=True)
            text = run.stdout + run.stderr
            found = re.search(r"parsing apart: *([0-9.]+) ms", text)
            nodes = re.search(r"nodes evaluated: *(\d+)", text)
            if not found or not nodes:
                sys.exit(f"size.py: no statistics from {' '.join(command)}:\n{text}")
            one = (float(found[1]), int(nodes[1]))
            best = one if best is None or one < best else best
        return best


def exponent(points):
    """The slope of the line through the logarithms."""
    xs = [math.log(n) for n, _ in points]
    ys = [math.log(max(c, 0.5)) for _, c in points]
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def main():
    if sys.argv[1:2] == ["--print"]:
        print(SHAPES[sys.argv[2]](int(sys.argv[3])))
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--torch", required=True)
    parser.add_argument("--extra-arg", action="append", default=[])
    parser.add_argument("--largest", type=int, default=400)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.3)
    parser.add_argument("shapes", nargs="*", default=[])
    options = parser.parse_args()
    bad = False
    for shape in options.shapes or [*SHAPES, "sources"]:
        largest = options.largest if shape != "sources" else options.largest // 10
        sizes = [largest // 8, largest // 4, largest // 2, largest]
        costs = []
        for n in sizes:
            files = sources(n) if shape == "sources" else {"main.cpp": SHAPES[shape](n)}
            costs.append(measure(options, files))
        time = exponent([(n, c[0]) for n, c in zip(sizes, costs)])
        nodes = exponent([(n, c[1]) for n, c in zip(sizes, costs)])
        row = "  ".join(f"{n}: {c[0]:.0f} ms, {c[1]} nodes" for n, c in zip(sizes, costs))
        print(f"{shape:10} time ~ n^{time:.2f}  nodes ~ n^{nodes:.2f}   {row}", flush=True)
        bad |= time > options.limit or nodes > options.limit
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
