// RUN: %check %s
// Loss scales taken back in the wrong place, and casts of weights that outlive a step.
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <torch/version.h>

#if TORCH_VERSION_MAJOR < 2
#define SET_AUTOCAST(on) at::autocast::set_cpu_enabled(on)
#else
#define SET_AUTOCAST(on) at::autocast::set_autocast_enabled(at::kCPU, on)
#endif

struct Net : torch::nn::Module {
  torch::nn::Conv1d a{nullptr};
  Net() { a = register_module("a", torch::nn::Conv1d(3, 4, 1)); }
  torch::Tensor loss() { return torch::tanh(a(torch::rand({2, 3, 5}))).pow(2).mean(); }
};

void clipped_while_scaled() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  const float scale = 1024.f;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    (net.loss() * scale).backward();
    torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-mixed-precision]
    for (auto &p : net.parameters())
      p.mutable_grad().div_(scale);
    optimizer.step();
  }
}

void stepped_while_scaled() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  double scale = 1024;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    auto loss = net.loss() * scale;
    loss.backward();
    optimizer.step();
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: wrong] [torch-mixed-precision]
    for (auto &p : net.parameters())
      p.mutable_grad() = p.grad() / scale;
  }
}

struct Scaler {
  double scale = 1024;
  void unscale(const std::vector<torch::Tensor> &parameters) {
    for (auto &p : parameters)
      p.grad().mul_(1.0 / scale);
  }
};

void unscaled_by_an_updated_scale() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  Scaler scaler;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    (scaler.scale * net.loss()).backward();
    scaler.scale *= 2;
    scaler.unscale(net.parameters());
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-mixed-precision]
    optimizer.step();
  }
}

void unscaled_twice() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  double scale = 1024;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    (net.loss() * scale).backward();
    for (auto &p : net.parameters())
      p.grad().div_(scale);
    for (auto &p : net.parameters())
      p.grad().div_(scale);
      // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: {{.*}} [definite: wrong] [torch-mixed-precision]
    optimizer.step();
  }
}

void never_cleared() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  SET_AUTOCAST(true);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: stale] [torch-mixed-precision]
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
  }
}

void one_of_two_is_never_unscaled() {
  Net actor, critic;
  torch::optim::SGD first(critic.parameters(), 0.1), second(actor.parameters(), 0.1);
  double scale = 1024;
  for (int i = 0; i < 9; ++i) {
    first.zero_grad();
    (critic.loss() * scale).backward();
    first.step();
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: {{.*}} [possible: wrong] [torch-mixed-precision]
    second.zero_grad();
    (actor.loss() * scale).backward();
    for (auto &p : actor.parameters())
      p.grad().div_(scale);
    second.step();
  }
}
