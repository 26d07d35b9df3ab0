// clean: the backbone is frozen and run under a guard, only the head is given to the optimizer.
#include <torch/torch.h>
#include <iostream>

struct Backbone : torch::nn::Module {
  Backbone() {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).stride(2)));
    bn = register_module("bn", torch::nn::BatchNorm2d(8));
  }
  torch::Tensor forward(torch::Tensor x) { return torch::adaptive_avg_pool2d(bn(conv(x)).relu_(), {1, 1}).flatten(1); }
  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d bn{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto backbone = std::make_shared<Backbone>();
  backbone->eval();
  for (auto& p : backbone->parameters()) p.requires_grad_(false);
  torch::nn::Linear head(8, 4);
  torch::optim::SGD opt(head->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true));
  auto x = torch::randn({6, 3, 9, 9});
  auto y = torch::randint(0, 4, {6});
  torch::Tensor features;
  {
    torch::NoGradGuard guard;
    features = backbone->forward(x);
  }
  for (int e = 0; e < 5; ++e) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(head(features), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
