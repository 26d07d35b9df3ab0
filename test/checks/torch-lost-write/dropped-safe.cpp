// RUN: %check %s
#include <torch/torch.h>
#include <iostream>
using namespace torch;

struct Net : nn::Module {
  Net() { fc = register_module("fc", nn::Linear(4, 4)); }
  Tensor forward(Tensor x) { return fc(x).relu(); }
  nn::Linear fc{nullptr};
};

Tensor show(Tensor x) {
  std::cout << x.mean() << "\n";
  return x / x.norm();
}

Tensor checked(Tensor x) {
  TORCH_CHECK(x.dim() == 2);
  return x;
}

Tensor halve(Tensor x) {
  x.mul_(0.5);
  return x + 1;
}

void dropped_for_a_reason() {
  Net net;
  optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({5, 4}), dead = torch::randn({5, 4});
  net.forward(x); // warms up
  torch::matmul(x, x.t());
  show(x);
  checked(x);
  halve(x);
  x.add_(1);
  dead.add(1); // never gets to a loss
  auto loss = torch::mse_loss(net.forward(x), x);
  opt.zero_grad();
  loss.backward();
  opt.step();
}
