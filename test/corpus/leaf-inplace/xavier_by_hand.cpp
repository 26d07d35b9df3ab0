// leaf-inplace, throws: the weights are initialised in place without a guard.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct Net : torch::nn::Module {
  Net() {
    l1 = register_module("l1", torch::nn::Linear(10, 10));
    l2 = register_module("l2", torch::nn::Linear(10, 2));
    init_weights();
  }
  void init_weights() {
    torch::NoGradGuard guard; //+
    for (auto& p : named_parameters()) {
      if (p.key().find("weight") != std::string::npos)
        p.value().uniform_(-std::sqrt(0.6), std::sqrt(0.6)); //@
      else
        p.value().zero_(); //@
    }
  }
  torch::Tensor forward(torch::Tensor x) { return l2(torch::relu(l1(x))); }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto loss = net.forward(torch::randn({4, 10})).square().mean();
  loss.backward();
  opt.step();
  std::cout << loss.item<float>() << "\n";
  //= net
}
