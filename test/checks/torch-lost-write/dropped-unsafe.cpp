// RUN: %check %s
#include <torch/torch.h>
using namespace torch;

void clamp_is_dropped() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.clamp(-1, 1);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: 'clamp' is out of place and its result is dropped: nothing changes [definite: wrong] [torch-lost-write]
  // CHECK-FIXES: x = x.clamp(-1, 1);
  auto loss = net(x).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

struct Batch {
  Tensor x, y;
};

void chain_on_a_member(Batch &batch) {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  batch.x.sub(batch.x.mean(0)).div(batch.x.std(0));
  // CHECK-MESSAGES: :[[@LINE-1]]:32: warning: 'div' is out of place {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = torch::mse_loss(net(batch.x), batch.y);
  opt.zero_grad();
  loss.backward();
  opt.step();
}

Tensor with_penalty(Tensor loss, const nn::Module &net) {
  for (const auto &p : net.parameters())
    loss = loss + p.pow(2).sum();
  return loss;
}

void penalty_is_dropped() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = net(torch::randn({5, 4})).abs().mean();
  with_penalty(loss, *net);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: 'with_penalty' returns a new tensor, which is dropped; 'loss' is as it was [definite: wrong] [torch-lost-write]
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void average_is_dropped() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  opt.zero_grad();
  net(torch::randn({5, 4})).abs().mean().backward();
  for (auto &p : net->parameters())
    p.grad().div(4);
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: 'div' is out of place {{.*}} [definite: wrong] [torch-lost-write]
  opt.step();
}
