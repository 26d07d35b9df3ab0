// RUN: %check %s
// Adding a constant leaves every derivative as it was. Written to a temporary alias it is another way to
// write h = h + 1; an alias with a name is a value of its own, and that h changes with it is a mistake.
#include <torch/torch.h>

void named() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto noisy = h.detach();
  noisy.add_(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: wrong] [torch-detach-inplace-write]
  h.sum().backward();
}

void part_of_the_named() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto noisy = torch::detach(h);
  noisy[0] += 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-detach-inplace-write]
  h.sum().backward();
}

void unnamed() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  h.detach().add_(1);
  h.sum().backward();
}

void a_step_by_hand() {
  auto w = torch::ones({3}, torch::requires_grad());
  w.pow(2).sum().backward();
  auto values = w.detach();
  values.sub_(0.1 * w.grad());
}
// CHECK-FIXES: auto noisy = h.detach().clone();
