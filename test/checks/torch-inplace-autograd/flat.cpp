// RUN: %check %s
// What is overwritten in full view has no gradient, in place or not: that is what was asked for.
#include <torch/torch.h>

void wiped() {
  auto w = torch::ones({3, 3}, torch::requires_grad());
  auto v = torch::ones({3, 3}, torch::requires_grad());
  torch::optim::SGD optimizer({w, v}, 0.1);
  auto h = w + 1;
  h.zero_();
  torch::matmul(h, v).sum().backward();
  optimizer.step();
}
