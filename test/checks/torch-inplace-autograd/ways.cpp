// RUN: %check %s
// A defect that only one way through a program has, and ways that look as if they had one.
#include <torch/torch.h>

bool option(int which);
std::string named(int which);

// sigmoid() needs its result for backward(), a product with a number does not.
void activation_by_name() {
  auto weight = torch::randn({3}, torch::requires_grad());
  torch::Tensor h;
  std::string name = named(1);
  if (name == "sigmoid")
    h = torch::sigmoid(weight);
  else if (name == "double")
    h = weight * 2;
  else
    h = weight + 1;
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [possible: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

// The name is known: this is no sigmoid.
torch::Tensor activate(const std::string &name, const torch::Tensor &x) {
  if (name == "sigmoid")
    return torch::sigmoid(x);
  return x * 2;
}
void activation_that_is_known() {
  auto weight = torch::randn({3}, torch::requires_grad());
  auto h = activate("double", weight);
  h.mul_(2);
  h.sum().backward();
}
void activation_that_is_known_and_harmful() {
  auto weight = torch::randn({3}, torch::requires_grad());
  auto h = activate("sigmoid", weight);
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

// What the last round saved is gone when this one writes.
void writes_before_it_reads_again() {
  torch::nn::Linear fc(3, 3);
  auto buffer = torch::zeros({2, 3});
  torch::Tensor out;
  for (int i = 0; i < 10; ++i) {
    if (option(i))
      buffer.add_(1);
    out = fc(buffer);
    out.sum().backward();
  }
}

// Here the write is behind the read, on one way.
void writes_behind_the_read() {
  torch::nn::Linear fc(3, 3);
  auto buffer = torch::zeros({2, 3});
  torch::Tensor out;
  for (int i = 0; i < 10; ++i) {
    out = fc(buffer);
    if (option(i))
      buffer.add_(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [possible: throws] [torch-inplace-autograd]
    // CHECK-FIXES: buffer = buffer.add(1);
    out.sum().backward();
  }
}
