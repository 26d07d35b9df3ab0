// clean: groups with different learning rates, parameters chosen by name.
#include <torch/torch.h>
#include <iostream>
#include <string>

struct Net : torch::nn::Module {
  Net() {
    backbone = register_module("backbone", torch::nn::Linear(6, 12));
    head = register_module("head", torch::nn::Linear(12, 2));
  }
  torch::Tensor forward(torch::Tensor x) { return head(torch::gelu(backbone(x))); }
  torch::nn::Linear backbone{nullptr}, head{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  std::vector<torch::Tensor> slow, fast;
  for (const auto& p : net.named_parameters()) {
    if (p.key().rfind("backbone", 0) == 0)
      slow.push_back(p.value());
    else
      fast.push_back(p.value());
  }
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(slow, std::make_unique<torch::optim::AdamOptions>(1e-4));
  groups.emplace_back(fast, std::make_unique<torch::optim::AdamOptions>(1e-2));
  torch::optim::Adam opt(groups, torch::optim::AdamOptions(1e-3));
  for (int i = 0; i < 3; ++i) {
    auto loss = torch::nn::functional::cross_entropy(net.forward(torch::randn({6, 6})), torch::randint(0, 2, {6}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
