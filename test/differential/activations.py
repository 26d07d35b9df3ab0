"""Every in-place activation behind every kind of layer: what it does, and what torch-tidy says of it.

    activations.py --tool torch-tidy --torch LIBTORCH --compiler clang++ --work FOLDER

Contexts times activations. Each pair is run with LibTorch beside its twin that is not in place: it raises, or
gives another loss or other gradients, or trains the same. torch-tidy reads the same pair as a program of its own.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

# name: what stands before, what is made in place ({h}: the tensor), what comes out, and the twin's result
MODULES = [("ReLU", ""), ("ReLU6", ""), ("LeakyReLU", ""), ("ELU", ""), ("SELU", ""), ("CELU", ""), ("Hardtanh", ""),
           ("Threshold", "0.1, 0.1"), ("RReLU", ""), ("Dropout", "0.5"), ("Dropout2d", "0.5"), ("AlphaDropout", "0.5")]
ACTIVATIONS = {
    f"nn::{name}": (f"nn::{name} act(nn::{name}Options({arguments}).inplace(true));", "", "act({h})",
                    f"nn::{name}(nn::{name}Options({arguments}))({{h}})")
    for name, arguments in MODULES
}
for name, twin in (("sigmoid_", "{h}.sigmoid()"), ("tanh_", "{h}.tanh()"), ("exp_", "{h}.exp()"),
                   ("clamp_(0, 1)", "{h}.clamp(0, 1)")):
    call = name if name.endswith(")") else name + "()"
    ACTIVATIONS[name] = ("", f"{{h}}.{call};", "{h}", twin)
for name in ("silu", "gelu", "hardswish", "hardsigmoid", "mish"):
    ACTIVATIONS[name + "_"] = ("", f"torch::{name}_({{h}});", "{h}", f"torch::{name}({{h}})")
OTHER = "auto other = torch::rand_like({h}).detach();"
ACTIVATIONS.update({
    "+= 1": ("", "{h} += 1;", "{h}", "({h} + 1)"),
    "*= 2": ("", "{h} *= 2;", "{h}", "({h} * 2)"),
    "+= other": ("", OTHER + " {h} += other;", "{h}", "({h} + torch::rand_like({h}).detach())"),
    "*= other that is trained": ("", OTHER + " other.requires_grad_(); {h} *= other;", "{h}",
                                 "({h} * torch::rand_like({h}).detach().requires_grad_())"),
    "masked_fill_": ("", "{h}.masked_fill_({h}.detach() < 0.5, 0);", "{h}",
                     "{h}.masked_fill({h}.detach() < 0.5, 0)"),
    "zero_() of a part": ("", "{h}.select(0, 0).zero_();", "{h}",
                          "torch::cat({{torch::zeros_like({h}.narrow(0, 0, 1)), {h}.narrow(0, 1, {h}.size(0) - 1)}})"),
})

FC = "nn::Linear m(4, 4);"
LEAF = "auto w = (torch::rand({3, 4}) + 0.2).requires_grad_();"
ALL = "m->parameters()"
IMAGES = "torch::randn({2, 2, 4, 4})"
ROWS = "torch::randn({3, 4})"


def layer(name, arguments, x=ROWS, apply="m({x})"):
    return (f"{name} m({arguments});", "auto h = " + apply.format(x=x) + ";", "y.sum()", ALL)


def behind(expression, x="m(" + ROWS + ")"):
    return (FC, f"auto h = {expression.format(x=x)};", "y.sum()", ALL)


CONV = "nn::Conv2d m(nn::Conv2dOptions(2, 2, 3).padding(1));"
# name: the layers, what is computed before, the loss of y (the activation's result), what is trained
CONTEXTS = {
    "Conv2d": layer("nn::Conv2d", "nn::Conv2dOptions(2, 4, 3)", IMAGES),
    "ConvTranspose2d": layer("nn::ConvTranspose2d", "nn::ConvTranspose2dOptions(2, 4, 3)", IMAGES),
    "Linear": layer("nn::Linear", "4, 4"),
    "Linear of three dimensions": layer("nn::Linear", "4, 4", "torch::randn({2, 3, 4})"),
    "Linear without bias": layer("nn::Linear", "nn::LinearOptions(4, 4).bias(false)", "torch::randn({2, 3, 4})"),
    "BatchNorm2d": layer("nn::BatchNorm2d", "2", IMAGES),
    "BatchNorm2d in evaluation": (*layer("nn::BatchNorm2d", "2", IMAGES)[:1], f"m->eval(); auto h = m({IMAGES});",
                                  "y.sum()", ALL),
    "Conv2d, BatchNorm2d": (CONV + " nn::BatchNorm2d n(2);", f"auto h = n(m({IMAGES}));", "y.sum()", ALL),
    "LayerNorm": layer("nn::LayerNorm", "nn::LayerNormOptions({4})"),
    "GroupNorm": layer("nn::GroupNorm", "nn::GroupNormOptions(1, 2)", IMAGES),
    "ReLU": behind("torch::relu({x})"),
    "LeakyReLU": behind("nn::LeakyReLU()({x})"),
    "ReLU in place": behind("nn::ReLU(nn::ReLUOptions(true))({x})"),
    "GELU": behind("nn::GELU()({x})"),
    "SiLU": behind("nn::SiLU()({x})"),
    "ELU": behind("nn::ELU()({x})"),
    "Sigmoid": behind("nn::Sigmoid()({x})"),
    "Tanh": behind("nn::Tanh()({x})"),
    "Softmax": behind("nn::Softmax(1)({x})"),
    "LogSoftmax": behind("nn::LogSoftmax(1)({x})"),
    "Softplus": behind("nn::Softplus()({x})"),
    "exp": behind("torch::exp({x})"),
    "sqrt": behind("torch::sqrt({x}.abs())"),
    "pow(2)": behind("{x}.pow(2)"),
    "MaxPool2d": (CONV, f"auto h = nn::MaxPool2d(2)(m({IMAGES}));", "y.sum()", ALL),
    "AvgPool2d": (CONV, f"auto h = nn::AvgPool2d(2)(m({IMAGES}));", "y.sum()", ALL),
    "AdaptiveAvgPool2d": (CONV, f"auto h = nn::AdaptiveAvgPool2d(2)(m({IMAGES}));", "y.sum()", ALL),
    "Upsample": (CONV, "auto h = nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2})"
                       f".mode(torch::kNearest))(m({IMAGES}));", "y.sum()", ALL),
    "Dropout": behind("nn::Dropout(0.5)({x})"),
    "Embedding": layer("nn::Embedding", "5, 4", "torch::tensor({1, 3, 2})"),
    "sum of two": (FC, f"auto x = m({ROWS}); auto h = x + m({ROWS});", "y.sum()", ALL),
    "product of two": (FC, f"auto x = m({ROWS}); auto h = x * m({ROWS});", "y.sum()", ALL),
    "quotient of two": (FC, f"auto x = m({ROWS}); auto h = x / (m({ROWS}).abs() + 1);", "y.sum()", ALL),
    "matmul": (FC, f"auto x = m({ROWS}); auto h = x.matmul(m({ROWS}).t());", "y.sum()", ALL),
    "cat": (FC, f"auto x = m({ROWS}); auto h = torch::cat({{x, x}});", "y.sum()", ALL),
    "flatten": (CONV, f"auto h = m({IMAGES}).flatten(1);", "y.sum()", ALL),
    "view of sigmoid": behind("torch::sigmoid({x}).view({{4, 3}})"),
    "chunk": behind("{x}.chunk(2, 1)[0]"),
    "slice": behind("{x}.slice(1, 0, 2)"),
    "LSTM": ("nn::LSTM m(4, 4);", "auto h = std::get<0>(m(torch::randn({2, 3, 4})));", "y.sum()", ALL),
    "input": (FC, f"auto h = {ROWS};", "m(y).sum()", ALL),
    "parameter": (LEAF, "auto h = w;", "y.sum()", "std::vector<torch::Tensor>{w}"),
    "Linear, saved by the next": (FC + " nn::Linear n(4, 4);", f"auto h = m({ROWS});", "n(y).sum()", ALL),
    "Linear, then Sigmoid": (FC, f"auto h = m({ROWS});", "torch::sigmoid(y).sum()", ALL),
    "shortcut that Linear saved": (FC + " nn::Linear n(4, 4);", f"auto h = m({ROWS}); auto z = n(h);",
                                   "(y + z).sum()", ALL),
    "shortcut of what was there": (FC + " nn::Linear n(4, 4);", f"auto h = m({ROWS}); auto x = h;",
                                   "(n(y) + x).sum()", ALL),
    "behind the shortcut": (FC, f"auto x = {ROWS}; auto h = m(x) + x;", "y.sum()", ALL),
    "shortcut in place": (CONV + " nn::BatchNorm2d n(2);", f"auto x = {IMAGES}; auto h = n(m(x)); h += x;",
                          "y.sum()", ALL),
    "result used again": (FC, f"auto h = m({ROWS}); auto x = h;", "(y + x).sum()", ALL),
    "two branches, result saved": (FC, f"auto h = m({ROWS}); auto z = h.sigmoid();", "(y * z).sum()", ALL),
    "two branches, input saved": (FC, f"auto h = m({ROWS}); auto z = h.pow(2);", "(y + z).sum()", ALL),
}

RUN = r"""#include <torch/torch.h>
#include <cstdio>
#include <functional>
namespace nn = torch::nn;
using torch::Tensor;
using Act = std::function<Tensor(Tensor&)>;
struct Context { const char *name; std::function<void(const Act&, float&, std::vector<Tensor>&)> run; };
struct Activation { const char *name; Act in_place, twin; };
static const std::vector<Context> contexts = {
%s};
static const std::vector<Activation> activations = {
%s};
int main() {
  at::set_num_threads(1);
  for (const Context &c : contexts)
    for (const Activation &a : activations) {
      float loss[2] = {};
      std::vector<Tensor> grads[2];
      const char *seen = "fine";
      try {
        torch::manual_seed(1);
        c.run(a.twin, loss[1], grads[1]);
      } catch (const std::exception &) {
        seen = "none"; // this activation does not go with such a tensor
      }
      if (*seen == 'f')
        try {
          torch::manual_seed(1);
          c.run(a.in_place, loss[0], grads[0]);
          bool same = std::abs(loss[0] - loss[1]) <= 1e-4 * (1 + std::abs(loss[1]));
          for (size_t i = 0; i < grads[0].size(); ++i)
            same &= torch::allclose(grads[0][i], grads[1][i], 1e-4, 1e-5);
          seen = same ? "fine" : "wrong";
        } catch (const std::exception &) {
          seen = "throws";
        }
      std::printf("%%s\t%%s\t%%s\n", c.name, a.name, seen);
    }
}
"""


def source_to_run():
    contexts, activations = [], []
    for name, (layers, before, loss, trained) in CONTEXTS.items():
        contexts.append(f'  {{"{name}", [](const Act &act, float &value, std::vector<Tensor> &grads) {{\n'
                        f"    {layers}\n    {before}\n    auto y = act(h);\n    auto loss = {loss};\n"
                        f"    loss.backward();\n    value = loss.item<float>();\n"
                        f"    for (const Tensor &p : {trained})\n      grads.push_back(p.grad());\n  }}}},\n")
    for name, (made, write, result, twin) in ACTIVATIONS.items():
        body = " ".join(filter(None, (made, write, f"return {result};"))).format(h="h")
        activations.append(f'  {{"{name}", [](Tensor &h) -> Tensor {{ {body} }},\n'
                           f"   [](Tensor &h) -> Tensor {{ return {twin.format(h='h')}; }}}},\n")
    return RUN % ("".join(contexts), "".join(activations))


def source_to_check():
    """The text, and for each of its lines which pair it belongs to."""
    lines, pairs = ["#include <torch/torch.h>", "namespace nn = torch::nn;"], {}
    for context, (layers, before, loss, _) in CONTEXTS.items():
        for activation, (made, write, result, _) in ACTIVATIONS.items():
            for line in (f"void pair_{len(lines)}() {{", layers, made, before, write.format(h="h"),
                         f"auto y = {result.format(h='h')};", f"auto loss = {loss};", "loss.backward();", "}"):
                lines.append(line)
                pairs[len(lines)] = (context, activation)
    return "\n".join(lines) + "\n", pairs


def shell(command, accepted=(0,)):
    run = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if run.returncode not in accepted:
        sys.exit(f"{' '.join(map(str, command))}\nended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return run.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("tool", "torch", "compiler", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--standard", default="c++20")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    torch = options.torch
    run, check = (os.path.join(options.work, name) for name in ("run.cpp", "check.cpp"))
    with open(run, "w", encoding="utf-8") as file:
        file.write(source_to_run())
    text, pairs = source_to_check()
    with open(check, "w", encoding="utf-8") as file:
        file.write(text)
    program = os.path.join(options.work, "run")
    shell([options.compiler, f"-std={options.standard}", "-O0", "-w", f"-I{torch}/include",
           f"-I{torch}/include/torch/csrc/api/include", run, "-o", program, f"-L{torch}/lib", "-Wl,--no-as-needed",
           "-ltorch_cpu", "-lc10", f"-Wl,-rpath,{torch}/lib"])
    seen = {}
    for line in shell([program]).splitlines():
        context, activation, what = line.split("\t")
        seen[context, activation] = what
    document = json.loads(shell([options.tool, "check", check, "--torch", torch, "--format=sarif", "--fail-on=never"]))
    said = collections.defaultdict(set)
    for result in document["runs"][0]["results"]:
        line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        said[pairs[line]].add(result["properties"]["outcome"])
    differ = 0
    for pair, what in seen.items():
        expected = {"fine": set(), "none": None}.get(what, {what})
        if expected is not None and said[pair] != expected:
            differ += 1
            print(f"{pair[0]}, {pair[1]}: {what}, and torch-tidy says {', '.join(sorted(said[pair])) or 'nothing'}")
    print(f"{len(seen)} pairs: {dict(collections.Counter(seen.values()))}; {differ} told otherwise")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
