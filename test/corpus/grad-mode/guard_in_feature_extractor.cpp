// grad-mode, undefined: the backbone still runs under the guard after it was unfrozen.
#include <torch/torch.h>
#include <iostream>
#include <memory>

class FineTune : public torch::nn::Module {
 public:
  FineTune() {
    backbone_ = register_module("backbone", torch::nn::Sequential(torch::nn::Linear(10, 10), torch::nn::ReLU()));
    head_ = register_module("head", torch::nn::Linear(10, 2));
  }
  void unfreeze() {
    for (auto& p : backbone_->parameters()) p.requires_grad_(true);
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor f;
    {
      torch::NoGradGuard no_grad; //-@
      f = backbone_->forward(x);
    }
    return head_->forward(f);
  }
  torch::nn::Sequential backbone_{nullptr};
  torch::nn::Linear head_{nullptr};
};

int main() {
  torch::manual_seed(0);
  FineTune net;
  net.unfreeze();
  torch::optim::Adam opt(net.parameters(), 1e-4);
  auto x = torch::randn({8, 10});
  auto y = torch::randint(0, 2, {8});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
