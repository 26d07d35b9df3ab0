// two-backwards, throws: two task losses over one embedding are walked separately.
#include <torch/torch.h>
#include <iostream>
#include <array>

struct MultiTask : torch::nn::Module {
  MultiTask() {
    shared = register_module("shared", torch::nn::Linear(8, 16));
    for (int i = 0; i < 2; ++i) heads[i] = register_module("head" + std::to_string(i), torch::nn::Linear(16, 1));
  }
  std::array<torch::Tensor, 2> forward(torch::Tensor x) {
    auto z = torch::sigmoid(shared(x));
    return {heads[0](z), heads[1](z)};
  }
  torch::nn::Linear shared{nullptr};
  std::array<torch::nn::Linear, 2> heads{nullptr, nullptr};
};

int main() {
  torch::manual_seed(0);
  MultiTask net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 2; ++i) {
    auto x = torch::randn({5, 8});
    auto out = net.forward(x);
    opt.zero_grad();
    for (auto& o : out) {
      auto l = (o - x.mean()).pow(2).mean();
      l.backward(); //-@
      l.backward({}, /*retain_graph=*/true); //+
    }
    opt.step();
    std::cout << "iteration " << i << "\n";
  }
  //= net
}
