// hidden-cut, undefined: the loss is rebuilt from a number and given requires_grad to make backward run.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() { fc = register_module("fc", torch::nn::Linear(4, 2)); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
  torch::nn::Linear fc{nullptr};
};

float accuracy_loss(const torch::Tensor& out, const torch::Tensor& y) {
  return torch::mse_loss(out, y).item<float>();
}

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({10, 4}), y = torch::randn({10, 2});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto out = net.forward(x);
    auto loss = torch::tensor(accuracy_loss(out, y), torch::requires_grad()); //-@
    auto loss = torch::mse_loss(out, y); //+
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
