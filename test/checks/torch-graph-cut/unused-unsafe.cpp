// RUN: %check %s
#include <torch/torch.h>
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
