// RUN: %check %s
// Weighted losses, scales taken back in time, and caches that are cleared or not used.
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

void a_weighted_loss(double weight) {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    (net.loss() * weight).backward();
    torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
    optimizer.step();
    weight *= 0.9;
  }
}

void a_dynamic_scale() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  double scale = 1024;
  int good = 0;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    (net.loss() * scale).backward();
    bool finite = true;
    for (auto &p : net.parameters()) {
      p.grad().div_(scale);
      finite = finite && torch::isfinite(p.grad()).all().item<bool>();
    }
    if (finite) {
      torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
      optimizer.step();
      if (++good % 100 == 0)
        scale *= 2;
    } else {
      scale /= 2;
    }
  }
}

void averaged_by_hand() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  int batches = 4;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    for (int k = 0; k < batches; ++k)
      net.loss().backward();
    for (auto &p : net.parameters())
      p.grad().div_(batches);
    optimizer.step();
  }
}

void cleared_after_each_forward() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    SET_AUTOCAST(true);
    auto loss = net.loss();
    SET_AUTOCAST(false);
    at::autocast::clear_cache();
    loss.backward();
    optimizer.step();
  }
}

void backward_under_autocast() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  SET_AUTOCAST(true);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
    at::autocast::clear_cache();
  }
}

void without_the_cache() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  SET_AUTOCAST(true);
  at::autocast::set_autocast_cache_enabled(false);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
  }
}

void cleared_at_the_outermost_level() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    at::autocast::increment_nesting();
    SET_AUTOCAST(true);
    auto loss = net.loss();
    SET_AUTOCAST(false);
    if (at::autocast::decrement_nesting() == 0)
      at::autocast::clear_cache();
    loss.backward();
    optimizer.step();
  }
}

void cleared_now_and_then() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  SET_AUTOCAST(true);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
    if (i % 1 == 0)
      at::autocast::clear_cache();
  }
}

// A weight of a loss is no loss scale, whatever else is divided by its kind.
void a_weight_and_a_scale() {
  Net actor, critic;
  torch::optim::SGD first(critic.parameters(), 0.1), second(actor.parameters(), 0.1);
  double scale = 1024, weight = 0.5;
  for (int i = 0; i < 9; ++i) {
    first.zero_grad();
    (critic.loss() * weight).backward();
    first.step();
    second.zero_grad();
    (actor.loss() * scale).backward();
    for (auto &p : actor.parameters())
      p.grad().div_(scale);
    second.step();
  }
}

// Cleared to zeros, not away: every step divides by the scale anew, and puts the result in its place.
void unscaled_into_the_gradient() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  double scale = 1024;
  for (int i = 0; i < 9; ++i) {
    for (auto &p : net.parameters())
      if (p.grad().defined())
        p.mutable_grad().zero_();
    (net.loss() * scale).backward();
    for (auto &p : net.parameters())
      if (p.grad().defined())
        p.mutable_grad() = p.grad() / scale;
    optimizer.step();
  }
}
