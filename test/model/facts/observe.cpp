// Tells what the LibTorch that this is linked with really does, one observation a line:
//
//   LibTorch  <version>
//   op        <operator> <gradient of> <i|o> <index> <throws|fine>
//   out       <operator> <output> <relation> <argument> <yes|no|zero>
//   writes    <module> <train|eval|inplace> <yes|no>     (to its first input)
//   nn        <module> <train|eval|inplace> <gradient of> <i|o|p> <index> <throws|fine>
//
// "throws": with only that argument (for modules -1 - i: parameter i) requiring grad, writing to that
// input, output or parameter between the operation and backward makes backward throw. TruthTest.cpp
// holds the fact tables against it. New cases go into the two lists below.
#include <ATen/ATen.h>
#include <torch/nn.h>
#include <torch/version.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

using at::Tensor;
using List = std::vector<Tensor>;
namespace F = torch::nn::functional;

namespace {

Tensor r(at::IntArrayRef sizes) { return at::rand(sizes) * 0.8 + 0.1; }
Tensor signs(at::IntArrayRef sizes) { return at::rand(sizes) * 2 - 1; }
Tensor classes(at::IntArrayRef sizes) { return at::randint(0, 3, sizes); }
Tensor mask(at::IntArrayRef sizes) { return at::rand(sizes) > 0.5; }

struct Case {
  const char* name;
  std::function<List()> inputs;
  std::function<List(List&)> run;
};

#define IN(...) [] { return List{__VA_ARGS__}; }
#define OUT(...) [](List& x) { return List{__VA_ARGS__}; }

#define OUT_PAIR(...)                                       \
  [](List& x) {                                             \
    auto both = __VA_ARGS__;                                \
    return List{std::get<0>(both), std::get<1>(both)};      \
  }

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"relu", IN(signs({3, 4})), OUT(x[0].relu())},
      {"sigmoid", IN(r({3, 4})), OUT(x[0].sigmoid())},
      {"tanh", IN(r({3, 4})), OUT(x[0].tanh())},
      {"exp", IN(r({3, 4})), OUT(x[0].exp())},
      {"sqrt", IN(r({3, 4})), OUT(x[0].sqrt())},
      {"log", IN(r({3, 4})), OUT(x[0].log())},
      {"abs", IN(signs({3, 4})), OUT(x[0].abs())},
      {"neg", IN(r({3, 4})), OUT(-x[0])},
      {"round", IN(r({3, 4})), OUT(x[0].round())},
      {"sign", IN(r({3, 4})), OUT(x[0].sign())},
      {"argmax", IN(r({3, 4})), OUT(x[0].argmax(1))},
      {"gt.Scalar", IN(r({3, 4})), OUT(x[0] > 0.5)},
      {"gelu", IN(signs({3, 4})), OUT(at::gelu(x[0]))},
      {"silu", IN(signs({3, 4})), OUT(at::silu(x[0]))},
      {"softplus", IN(signs({3, 4})), OUT(at::softplus(x[0]))},
      {"leaky_relu", IN(signs({3, 4})), OUT(at::leaky_relu(x[0]))},
      {"elu", IN(signs({3, 4})), OUT(at::elu(x[0]))},
      {"hardtanh", IN(signs({3, 4})), OUT(at::hardtanh(x[0]))},
      {"softmax.int", IN(r({3, 4})), OUT(x[0].softmax(1))},
      {"log_softmax.int", IN(r({3, 4})), OUT(x[0].log_softmax(1))},
      {"clamp", IN(r({3, 4})), OUT(x[0].clamp(0.2, 0.7))},
      {"add.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0] + x[1])},
      {"mul.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0] * x[1])},
      {"div.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0] / x[1])},
      {"mul.Scalar", IN(r({3, 4})), OUT(x[0] * 2)},
      {"pow.Tensor_Scalar", IN(r({3, 4})), OUT(x[0].pow(3))},
      {"pow.Tensor_Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0].pow(x[1]))},
      {"addcdiv", IN(r({4}), r({4}), r({4})), OUT(at::addcdiv(x[0], x[1], x[2]))},
      {"mm", IN(r({3, 4}), r({4, 5})), OUT(x[0].mm(x[1]))},
      {"matmul", IN(r({3, 4}), r({4, 5})), OUT(x[0].matmul(x[1]))},
      {"addmm", IN(r({5}), r({3, 4}), r({4, 5})), OUT(at::addmm(x[0], x[1], x[2]))},
      {"bmm", IN(r({2, 3, 4}), r({2, 4, 5})), OUT(x[0].bmm(x[1]))},
      {"linear", IN(r({3, 4}), r({5, 4}), r({5})), OUT(at::linear(x[0], x[1], x[2]))},
      {"linear", IN(r({2, 3, 4}), r({5, 4}), r({5})), OUT(F::linear(x[0], x[1], x[2]))},
      {"conv2d", IN(r({1, 2, 5, 5}), r({3, 2, 3, 3}), r({3})), OUT(at::conv2d(x[0], x[1], x[2]))},
      {"max_pool2d", IN(r({1, 2, 4, 4})), OUT(at::max_pool2d(x[0], 2))},
      {"avg_pool2d", IN(r({1, 2, 4, 4})), OUT(at::avg_pool2d(x[0], 2))},
      {"adaptive_avg_pool2d", IN(r({1, 2, 4, 4})), OUT(at::adaptive_avg_pool2d(x[0], {2, 2}))},
      {"adaptive_avg_pool2d", IN(r({1, 2, 4, 4})), OUT(at::adaptive_avg_pool2d(x[0], {1, 1}))},
      {"layer_norm", IN(r({3, 4}), r({4}), r({4})), OUT(at::layer_norm(x[0], {4}, x[1], x[2]))},
      {"batch_norm", IN(r({3, 4}), r({4}), r({4}), r({4}), r({4})),
       OUT(at::batch_norm(x[0], x[1], x[2], x[3], x[4], true, 0.1, 1e-5, false))},
      {"embedding", IN(r({5, 3}), classes({4})), OUT(at::embedding(x[0], x[1]))},
      {"sum", IN(r({3, 4})), OUT(x[0].sum())},
      {"mean.dim", IN(r({3, 4})), OUT(x[0].mean({1}))},
      {"var", IN(r({3, 4})), OUT(x[0].var(false))},
      {"norm.Scalar", IN(r({3, 4})), OUT(x[0].norm())},
      {"prod", IN(r({3})), OUT(x[0].prod())},
      {"max.dim", IN(r({3, 4})), OUT_PAIR(x[0].max(1))},
      {"cumsum", IN(r({3, 4})), OUT(x[0].cumsum(0))},
      {"gather", IN(r({3, 4}), classes({3, 4})), OUT(x[0].gather(0, x[1]))},
      {"where.self", IN(mask({3, 4}), r({3, 4}), r({3, 4})), OUT(at::where(x[0], x[1], x[2]))},
      {"masked_fill.Scalar", IN(r({3, 4}), mask({3, 4})), OUT(x[0].masked_fill(x[1], 0.5))},
      {"mse_loss", IN(r({3, 4}), r({3, 4})), OUT(at::mse_loss(x[0], x[1]))},
      {"cross_entropy_loss", IN(r({3, 4}), classes({3})), OUT(at::cross_entropy_loss(x[0], x[1]))},
      {"binary_cross_entropy_with_logits", IN(r({3}), r({3})),
       OUT(at::binary_cross_entropy_with_logits(x[0], x[1]))},
      {"view", IN(r({3, 4})), OUT(x[0].view({12}))},
      {"select.int", IN(r({3, 4})), OUT(x[0].select(0, 1))},
      {"detach", IN(r({3, 4})), OUT(x[0].detach())},
      {"clone", IN(r({3, 4})), OUT(x[0].clone())},
      {"add_.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0].add_(x[1]))},
      {"mul_.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0].mul_(x[1]))},
      {"mul_.Scalar", IN(r({3, 4})), OUT(x[0].mul_(2))},
      {"div_.Tensor", IN(r({3, 4}), r({3, 4})), OUT(x[0].div_(x[1]))},
      {"relu_", IN(signs({3, 4})), OUT(F::relu(x[0], F::ReLUFuncOptions().inplace(true)))},
      {"sigmoid_", IN(r({3, 4})), OUT(x[0].sigmoid_())},
      {"exp_", IN(r({3, 4})), OUT(x[0].exp_())},
      {"hardtanh_", IN(signs({3, 4})), OUT(at::hardtanh_(x[0]))},
      {"leaky_relu_", IN(signs({3, 4})), OUT(at::leaky_relu_(x[0]))},
      {"silu_", IN(signs({3, 4})), OUT(at::silu_(x[0]))},
      {"clamp_", IN(r({3, 4})), OUT(x[0].clamp_(0.2, 0.7))},
      {"masked_fill_.Scalar", IN(r({3, 4}), mask({3, 4})), OUT(x[0].masked_fill_(x[1], 0.5))},
      {"copy_", IN(r({3, 4}), r({3, 4})), OUT(x[0].copy_(x[1]))},
      {"zero_", IN(r({3, 4})), OUT(x[0].zero_())},
      // The functions of torch::nn::functional were measured through their Python twins.
      {"nn::functional::mse_loss", IN(r({3, 4}), r({3, 4})), OUT(F::mse_loss(x[0], x[1]))},
      {"nn::functional::softsign", IN(signs({3, 4})), OUT(F::softsign(x[0]))},
      {"nn::functional::tanhshrink", IN(signs({3, 4})), OUT(F::tanhshrink(x[0]))},
      {"nn::functional::normalize", IN(r({3, 4})), OUT(F::normalize(x[0]))},
      {"nn::functional::softmax", IN(r({3, 4})), OUT(F::softmax(x[0], 1))},
      {"nn::functional::softmin", IN(r({3, 4})), OUT(F::softmin(x[0], 1))},
      {"nn::functional::local_response_norm", IN(r({1, 3, 4, 4})),
       OUT(F::local_response_norm(x[0], 2))},
      {"nn::functional::lp_pool2d", IN(r({1, 2, 4, 4})),
       OUT(F::lp_pool2d(x[0], F::LPPool2dFuncOptions(2, 2)))},
      {"nn::functional::dropout2d_", IN(r({1, 64, 2, 2})),
       OUT(F::dropout2d(x[0], F::Dropout2dFuncOptions().inplace(true)))},
  };
  return all;
}

// ------------------------------------------------------------------------------------- modules

struct Built {
  List parameters;
  std::function<List(List&)> forward;
};
struct ModuleCase {
  const char* name;
  const char* mode;
  std::function<List()> inputs;
  std::function<Built()> build;
};

template <typename Holder>
Built built(Holder module, const std::string& mode, std::function<List(Holder&, List&)> forward) {
  module->train(mode != "eval");
  return {module->parameters(), [module, forward](List& x) mutable { return forward(module, x); }};
}

#define NN(type, mode, inputs, holder, ...)                              \
  {#type, mode, inputs, [] {                                             \
     using Holder = torch::nn::type;                                     \
     return built<Holder>(holder, mode, [](Holder& m, List& x) { return List{__VA_ARGS__}; }); \
   }}

const std::vector<ModuleCase>& module_cases() {
  using namespace torch::nn;
  static const std::vector<ModuleCase> all = {
      NN(Linear, "train", IN(r({3, 4})), Holder(4, 5), m(x[0])),
      NN(Linear, "train", IN(r({2, 3, 4})), Holder(4, 5), m(x[0])),
      NN(Conv2d, "train", IN(r({1, 2, 5, 5})), Holder(Conv2dOptions(2, 3, 3)), m(x[0])),
      NN(ConvTranspose2d, "train", IN(r({1, 2, 5, 5})), Holder(ConvTranspose2dOptions(2, 3, 3)),
         m(x[0])),
      NN(BatchNorm1d, "train", IN(r({3, 4})), Holder(4), m(x[0])),
      NN(BatchNorm2d, "train", IN(r({2, 3, 4, 4})), Holder(3), m(x[0])),
      NN(BatchNorm2d, "eval", IN(r({2, 3, 4, 4})), Holder(3), m(x[0])),
      NN(LayerNorm, "train", IN(r({3, 4})), Holder(LayerNormOptions({4})), m(x[0])),
      NN(GroupNorm, "train", IN(r({2, 4, 3, 3})), Holder(2, 4), m(x[0])),
      NN(InstanceNorm2d, "train", IN(r({2, 3, 4, 4})), Holder(3), m(x[0])),
      NN(ReLU, "train", IN(signs({3, 4})), Holder(), m(x[0])),
      NN(ReLU, "inplace", IN(signs({3, 4})), Holder(ReLUOptions(true)), m(x[0])),
      NN(LeakyReLU, "inplace", IN(signs({3, 4})), Holder(LeakyReLUOptions().inplace(true)), m(x[0])),
      NN(ELU, "inplace", IN(signs({3, 4})), Holder(ELUOptions().inplace(true)), m(x[0])),
      NN(Hardtanh, "inplace", IN(signs({3, 4})), Holder(HardtanhOptions().inplace(true)), m(x[0])),
      NN(ReLU6, "inplace", IN(signs({3, 4})), Holder(ReLU6Options(true)), m(x[0])),
      NN(Dropout, "train", IN(r({3, 4})), Holder(), m(x[0])),
      NN(Dropout, "inplace", IN(r({3, 4})), Holder(DropoutOptions().inplace(true)), m(x[0])),
      NN(AlphaDropout, "train", IN(r({3, 4})), Holder(), m(x[0])),
      NN(AlphaDropout, "inplace", IN(r({3, 4})), Holder(AlphaDropoutOptions().inplace(true)),
         m(x[0])),
      NN(FeatureAlphaDropout, "inplace", IN(r({2, 8, 2, 2})),
         Holder(FeatureAlphaDropoutOptions().inplace(true)), m(x[0])),
      NN(Dropout2d, "inplace", IN(r({2, 8, 2, 2})), Holder(Dropout2dOptions().inplace(true)), m(x[0])),
      NN(SELU, "inplace", IN(signs({3, 4})), Holder(SELUOptions().inplace(true)), m(x[0])),
      NN(CELU, "inplace", IN(signs({3, 4})), Holder(CELUOptions().inplace(true)), m(x[0])),
      NN(RReLU, "inplace", IN(signs({3, 4})), Holder(RReLUOptions().inplace(true)), m(x[0])),
      NN(Threshold, "inplace", IN(signs({3, 4})), Holder(ThresholdOptions(0.1, 0).inplace(true)),
         m(x[0])),
      NN(GELU, "train", IN(signs({3, 4})), Holder(), m(x[0])),
      NN(Softmax, "train", IN(r({3, 4})), Holder(1), m(x[0])),
      NN(Softsign, "train", IN(r({3, 4})), Holder(), m(x[0])),
      NN(PReLU, "train", IN(signs({3, 4})), Holder(), m(x[0])),
      NN(MaxPool2d, "train", IN(r({1, 2, 4, 4})), Holder(2), m(x[0])),
      NN(AdaptiveAvgPool2d, "train", IN(r({1, 2, 4, 4})), Holder(2), m(x[0])),
      NN(Embedding, "train", IN(classes({4})), Holder(5, 3), m(x[0])),
      NN(Bilinear, "train", IN(r({3, 4}), r({3, 5})), Holder(4, 5, 2), m(x[0], x[1])),
      NN(MSELoss, "train", IN(r({3, 4}), r({3, 4})), Holder(), m(x[0], x[1])),
      NN(L1Loss, "train", IN(r({3, 4}), r({3, 4})), Holder(), m(x[0], x[1])),
      NN(SmoothL1Loss, "train", IN(r({3, 4}), r({3, 4})), Holder(), m(x[0], x[1])),
      NN(BCEWithLogitsLoss, "train", IN(r({3}), r({3})), Holder(), m(x[0], x[1])),
      NN(BCELoss, "train", IN(r({3}), r({3})), Holder(), m(x[0], x[1])),
      NN(CrossEntropyLoss, "train", IN(r({3, 4}), classes({3})), Holder(), m(x[0], x[1])),
      NN(LSTMCell, "train", IN(r({2, 3})), Holder(3, 4), std::get<0>(m(x[0])),
         std::get<1>(m(x[0]))),
      NN(GRUCell, "train", IN(r({2, 3})), Holder(3, 4), m(x[0])),
      NN(RNNCell, "train", IN(r({2, 3})), Holder(3, 4), m(x[0])),
  };
  return all;
}

// ------------------------------------------------------------------------------------- observing

/// Raises the version counter without changing a value.
void bump(const Tensor& t) {
  at::NoGradGuard guard;
  Tensor alias = t.detach(); // shares the counter, and may be written where t is a multi-view
  alias.copy_(alias.clone());
}

bool has_graph(const List& outputs) {
  for (const Tensor& o : outputs)
    if (o.requires_grad())
      return true;
  return false;
}

/// Whether backward throws for a value that was written to; anything else thrown is an error.
bool backward_throws(const List& outputs) {
  Tensor total;
  for (const Tensor& o : outputs)
    if (o.requires_grad())
      total = total.defined() ? total + o.sum() : o.sum();
  try {
    total.backward();
    return false;
  } catch (const c10::Error& e) {
    if (std::string(e.what()).find("modified by an inplace operation") == std::string::npos)
      throw;
    return true;
  }
}

struct Trial {
  List leaves, inputs, outputs;

  Trial(const List& made, int gradient_of, const std::function<List(List&)>& run) {
    for (int i = 0; i < static_cast<int>(made.size()); ++i) {
      Tensor leaf = made[i].clone();
      if (i == gradient_of)
        leaf.requires_grad_();
      leaves.push_back(leaf);
      inputs.push_back(i == gradient_of ? leaf.clone() : leaf);
    }
    List handed = inputs;
    outputs = run(handed);
  }
};

const char* relation(const Tensor& out, const List& inputs, int& argument) {
  for (argument = 0; argument < static_cast<int>(inputs.size()); ++argument)
    if (out.is_same(inputs[argument]))
      return "same";
  for (argument = 0; argument < static_cast<int>(inputs.size()); ++argument)
    if (out.storage().data() == inputs[argument].storage().data()) {
      auto before = out._version();
      bump(inputs[argument]);
      return out._version() != before ? "view" : "alias";
    }
  argument = -1;
  return "fresh";
}

void observe_outputs(const Case& c) {
  List made = c.inputs();
  size_t count = Trial(made, -1, c.run).outputs.size();
  for (size_t k = 0; k < count; ++k) {
    std::string differentiable = "no";
    int argument = -1;
    Trial plain(made, -1, c.run);
    std::string kind = relation(plain.outputs[k], plain.inputs, argument);
    for (int g = 0; g < static_cast<int>(made.size()); ++g) {
      if (!made[g].is_floating_point())
        continue;
      try {
        Trial t(made, g, c.run);
        if (!t.outputs[k].requires_grad())
          continue;
        (t.outputs[k] * at::rand_like(t.outputs[k])).sum().backward();
        Tensor grad = t.leaves[g].grad();
        bool zero = !grad.defined() || grad.count_nonzero().item<int64_t>() == 0;
        if (!zero)
          differentiable = "yes";
        else if (differentiable == "no")
          differentiable = "zero";
      } catch (const c10::Error&) {
        // not differentiable with respect to this argument (batch_norm's running mean)
      }
    }
    std::printf("out\t%s\t%zu\t%s\t%d\t%s\n", c.name, k, kind.c_str(), argument,
                differentiable.c_str());
  }
}

void observe_saves(const Case& c) {
  List made = c.inputs();
  for (int g = 0; g < static_cast<int>(made.size()); ++g) {
    if (!made[g].is_floating_point())
      continue;
    try {
      Trial probe(made, g, c.run);
      if (!has_graph(probe.outputs))
        continue;
      for (size_t i = 0; i < probe.inputs.size() + probe.outputs.size(); ++i) {
        Trial t(made, g, c.run);
        bool input = i < t.inputs.size();
        size_t index = input ? i : i - t.inputs.size();
        bump(input ? t.inputs[index] : t.outputs[index]);
        std::printf("op\t%s\t%d\t%c\t%zu\t%s\n", c.name, g, input ? 'i' : 'o', index,
                    backward_throws(t.outputs) ? "throws" : "fine");
      }
    } catch (const c10::Error& e) {
      if (std::string(e.what()).find("cannot have requires_grad") == std::string::npos)
        throw;
    }
  }
}

void observe_module(const ModuleCase& c) {
  List made = c.inputs();
  size_t parameters = c.build().parameters.size();
  Built plain = c.build();
  Trial once(made, -1, plain.forward);
  std::printf("writes\t%s\t%s\t%s\n", c.name, c.mode, once.inputs[0]._version() ? "yes" : "no");
  for (int g = -static_cast<int>(parameters); g < static_cast<int>(made.size()); ++g) {
    if (g >= 0 && !made[g].is_floating_point())
      continue;
    auto trial = [&](Built& module) {
      for (size_t p = 0; p < parameters; ++p)
        module.parameters[p].set_requires_grad(g == -1 - static_cast<int>(p));
      return Trial(made, g, module.forward);
    };
    Built first = c.build();
    Trial probe = trial(first);
    if (!has_graph(probe.outputs))
      continue;
    for (size_t i = 0; i < made.size() + probe.outputs.size() + parameters; ++i) {
      Built module = c.build();
      Trial t = trial(module);
      size_t index = i;
      char what = 'i';
      if (index >= made.size()) {
        index -= made.size();
        what = 'o';
        if (index >= t.outputs.size()) {
          index -= t.outputs.size();
          what = 'p';
        }
      }
      bump(what == 'i' ? t.inputs[index] : what == 'o' ? t.outputs[index]
                                                       : module.parameters[index]);
      std::printf("nn\t%s\t%s\t%d\t%c\t%zu\t%s\n", c.name, c.mode, g, what, index,
                  backward_throws(t.outputs) ? "throws" : "fine");
    }
  }
}

} // namespace

int main() {
  std::printf("LibTorch\t%d.%d.%d\n", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH);
  std::string at;
  try {
    for (const Case& c : cases()) {
      at = c.name;
      at::manual_seed(1);
      observe_saves(c);
      at::manual_seed(1);
      observe_outputs(c);
    }
    for (const ModuleCase& c : module_cases()) {
      at = c.name;
      at::manual_seed(1);
      observe_module(c);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", at.c_str(), e.what());
    return 1;
  }
  return 0;
}
