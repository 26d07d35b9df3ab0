// RUN: %check %s
#include <torch/torch.h>
#include <iostream>
#include <map>
using namespace torch;

struct Net : nn::Module {
  Net() { fc = register_module("fc", nn::Linear(4, 4)); }
  Tensor forward(Tensor x) {
    auto h = fc(x);
    penalty = h.abs().mean();
    // CHECK-MESSAGES: :[[@LINE-1]]:23: warning: 'penalty' is computed with gradients from trained parameters and never read: {{.*}} [possible: wrong] [torch-graph-cut]
    return h;
  }
  nn::Linear fc{nullptr};
  Tensor penalty;
};

void kept_in_a_member() {
  Net net;
  optim::SGD opt(net.parameters(), 0.1);
  auto loss = net.forward(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

struct SideOutputs : nn::Module {
  nn::Linear trunk{4, 4}, mask{4, 1}, side{4, 1};
  SideOutputs() {
    register_module("trunk", trunk);
    register_module("mask", mask);
    register_module("side", side);
  }
};

// The side output has an entry of its own, which is printed with the others.
void printed_and_not_summed() {
  SideOutputs net;
  optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto h = torch::relu(net.trunk(torch::randn({5, 4})));
    std::map<std::string, Tensor> losses;
    losses["mask"] = net.mask(h).pow(2).mean();
    losses["side"] = net.side(h).pow(2).mean();
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}} is what parameters of the optimizer are there for, {{.*}} [possible: undefined] [torch-graph-cut]
    auto total = 1.0 * losses["mask"];
    opt.zero_grad();
    total.backward();
    opt.step();
    for (const auto &entry : losses)
      std::cout << entry.first << " " << entry.second.item<float>() << std::endl;
  }
}
