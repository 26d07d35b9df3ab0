// RUN: %check %s
// Tensors that were made in inference mode, and flags that only a leaf may change.
#include <torch/torch.h>

torch::Tensor made_in_inference() {
  c10::InferenceMode guard;
  // CHECK-MESSAGES: :[[@LINE-1]]:22: warning: {{.*}}cannot be saved [definite: throws] [torch-graph-cut]
  return torch::ones({3});
}

void saved() {
  auto w = torch::ones({3}, torch::requires_grad());
  (w * made_in_inference()).sum().backward();
}

torch::Tensor constant() {
  c10::InferenceMode guard;
  return torch::ones({3}).requires_grad_(true);
}

void not_saved() {
  auto w = torch::ones({3}, torch::requires_grad());
  (w + constant()).sum().backward();
}

// Where no ordinary tensor takes part, autograd does not.
void among_themselves() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto c = constant();
  auto square = c * c;
  square.mul_(2);
  (w * square).sum().backward();
}

void flag_of_a_result() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  h.requires_grad_(false);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: requires_grad_(false) on a tensor with a history{{.*}} [definite: throws] [torch-graph-cut]
  (w * h).sum().backward();
}

void flag_of_leaves() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = (w * 2).detach();
  h.requires_grad_(false);
  w.requires_grad_(false);
  w.requires_grad_(true);
  (w * h).sum().backward();
}

// The copy of a detached value is cut where it was detached; zeros_like() takes the shape alone.
struct Net : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  Net() {
    a = register_module("a", torch::nn::Linear(3, 3));
    b = register_module("b", torch::nn::Linear(3, 3));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto h = a(x);
    auto kept = torch::zeros_like(h);
    kept.copy_(h.detach());
    // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} [definite: undefined] [torch-graph-cut]
    // CHECK-FIXES: kept.copy_(h);
    return b(kept);
  }
};

void copied() {
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    net.forward(torch::rand({2, 3})).pow(2).mean().backward();
    opt.step();
  }
}
