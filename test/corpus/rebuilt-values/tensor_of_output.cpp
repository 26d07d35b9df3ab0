// rebuilt-values, undefined: one coordinate of the output is rebuilt as a tensor from its value.
#include <torch/torch.h>
#include <iostream>

struct PoseNet : torch::nn::Module {
  PoseNet() {
    trans = register_module("trans", torch::nn::Linear(8, 3));
    rot = register_module("rot", torch::nn::Linear(8, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto t = trans(x);
    auto angle = rot(x).squeeze();
    float a = angle.item<float>(); //-@
    auto R = torch::tensor({{std::cos(a), -std::sin(a)}, {std::sin(a), std::cos(a)}}); //-@
    auto R = torch::stack({angle.cos(), -angle.sin(), angle.sin(), angle.cos()}).view({2, 2}); //+
    auto p = torch::ones({2});
    return torch::cat({R.mv(p), t.flatten()});
  }
  torch::nn::Linear trans{nullptr}, rot{nullptr};
};

int main() {
  torch::manual_seed(0);
  PoseNet net;
  torch::optim::Adam adam(net.parameters(), 1e-3);
  auto x = torch::randn({1, 8}), y = torch::randn({5});
  for (int i = 0; i < 3; ++i) {
    adam.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    loss.backward();
    //= net
    adam.step();
    std::cout << loss.item<float>() << "\n";
  }
}
