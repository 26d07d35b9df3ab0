// RUN: %check %s
#include <torch/torch.h>
#include <iostream>
using namespace torch;

// Printed, added on some path, or a running total: read, or made of what was walked.
void read_after_all(bool regularise) {
  nn::Linear net(4, 4);
  optim::SGD opt(net->parameters(), 0.1);
  Tensor total = torch::zeros({});
  for (int i = 0; i < 3; ++i) {
    auto h = net(torch::randn({5, 4}));
    auto size = h.abs().mean();
    auto penalty = net->weight.pow(2).sum();
    auto loss = h.pow(2).mean();
    if (regularise)
      loss = loss + penalty;
    std::cout << size.item<float>();
    opt.zero_grad();
    loss.backward();
    opt.step();
    total = total + loss.detach();
  }
}
