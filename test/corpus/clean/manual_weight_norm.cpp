// clean: weights written by hand under a guard between steps: initialisation, constraint, decay, average.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() {
    a = register_module("a", torch::nn::Linear(6, 6));
    b = register_module("b", torch::nn::Linear(6, 2));
    torch::NoGradGuard guard;
    for (auto& m : modules(false))
      if (auto* lin = m->as<torch::nn::Linear>()) {
        torch::nn::init::kaiming_normal_(lin->weight);
        lin->bias.fill_(0.01);
      }
  }
  torch::Tensor forward(torch::Tensor x) { return b(torch::selu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  std::vector<torch::Tensor> average;
  for (auto& p : net.parameters()) average.push_back(p.detach().clone());
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({10, 6});
    auto y = (x.select(1, 0) > 0).to(torch::kLong);
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
    opt.zero_grad();
    loss.backward();
    for (auto& p : net.parameters()) p.mutable_grad().add_(p.detach(), 1e-3);
    opt.step();
    torch::NoGradGuard guard;
    auto norm = net.a->weight.norm(2, 1, true);
    net.a->weight.mul_(norm.clamp(0, 1) / (norm + 1e-8));
    auto p = net.parameters();
    for (size_t k = 0; k < p.size(); ++k) average[k].mul_(0.9).add_(p[k], 0.1);
    std::cout << loss.item<float>() << "\n";
  }
}
