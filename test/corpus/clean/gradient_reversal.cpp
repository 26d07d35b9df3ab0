// clean: domain adaptation through a gradient reversal layer, its strength kept in the context.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

class Reverse : public torch::autograd::Function<Reverse> {
 public:
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor x, double strength) {
    ctx->saved_data["strength"] = strength;
    return x.view_as(x);
  }
  static tensor_list backward(AutogradContext* ctx, tensor_list grads) {
    return {-ctx->saved_data["strength"].toDouble() * grads[0], torch::Tensor()};
  }
};

struct DANN : torch::nn::Module {
  torch::nn::Sequential features{torch::nn::Linear(6, 20), torch::nn::ReLU(torch::nn::ReLUOptions(true))};
  torch::nn::Linear label{20, 3}, domain{20, 2};
  DANN() {
    register_module("features", features);
    register_module("label", label);
    register_module("domain", domain);
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& x, double strength) {
    auto f = features->forward(x);
    return {label(f), domain(Reverse::apply(f, strength))};
  }
};

torch::Tensor ce(const torch::Tensor& logits, const torch::Tensor& y) { return torch::nn::functional::cross_entropy(logits, y); }

int main() {
  torch::manual_seed(6);
  auto net = std::make_shared<DANN>();
  torch::optim::SGD opt(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9));
  const int steps = 8;
  for (int i = 0; i < steps; ++i) {
    double p = double(i) / steps, strength = 2 / (1 + std::exp(-10 * p)) - 1;
    auto source = torch::randn({12, 6}), target = torch::randn({12, 6}) + 0.5;
    auto y = source.slice(1, 0, 3).argmax(1);
    opt.zero_grad();
    auto [class_out, domain_s] = net->forward(source, strength);
    auto domain_t = std::get<1>(net->forward(target, strength));
    auto loss = ce(class_out, y) + ce(domain_s, torch::zeros({12}, torch::kLong)) + ce(domain_t, torch::ones({12}, torch::kLong));
    loss.backward();
    opt.step();
    for (auto& group : opt.param_groups()) static_cast<torch::optim::SGDOptions&>(group.options()).lr(0.05 / std::pow(1 + 10 * p, 0.75));
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
