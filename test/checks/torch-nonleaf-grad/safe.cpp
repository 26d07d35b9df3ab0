// RUN: %check %s
// Gradients that are there, or asked for first.
#include <torch/torch.h>
using namespace torch;

void retained() {
  nn::Linear enc(4, 8), dec(8, 1);
  auto h = enc(torch::randn({5, 4}));
  h.retain_grad();
  dec(h).sum().backward();
  auto n = h.grad().norm().item<float>();
}

void asked() {
  nn::Linear enc(4, 8), dec(8, 1);
  auto h = enc(torch::randn({5, 4}));
  dec(h).sum().backward();
  if (h.grad().defined()) {
    auto n = h.grad().norm().item<float>();
  }
}

void leaf() {
  auto w = torch::randn({4, 2}, torch::requires_grad());
  torch::mm(torch::randn({5, 4}), w).pow(2).sum().backward();
  NoGradGuard g;
  w -= 0.1 * w.grad();
}

void leaf_input() {
  nn::Linear enc(4, 8);
  auto x = torch::randn({5, 4}).set_requires_grad(true);
  enc(x).sum().backward();
  auto s = x.grad().abs().sum().item<float>();
}
