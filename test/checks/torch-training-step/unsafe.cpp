// RUN: %check %s
// An optimizer steps while a loss of the same forward pass is still to be walked back.
#include <torch/torch.h>

struct Net {
  torch::nn::Linear trunk{3, 3}, head{3, 1};
  std::vector<torch::Tensor> parameters() {
    auto all = trunk->parameters();
    for (auto &p : head->parameters())
      all.push_back(p);
    return all;
  }
};

void silently_with_sgd() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  auto h = torch::tanh(net.trunk(torch::ones({2, 3})));
  auto first = net.head(h).sum();
  auto second = net.head(h).pow(2).sum();
  first.backward({}, true);
  optimizer.step();
  // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} [definite: stale] [torch-training-step]
  second.backward();
}

void loudly_with_adam() {
  Net net;
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  auto h = torch::tanh(net.trunk(torch::ones({2, 3})));
  auto first = net.head(h).sum();
  auto second = net.head(h).pow(2).sum();
  first.backward({}, true);
  optimizer.step();
  // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} [definite: throws] [torch-training-step]
  second.backward();
}
