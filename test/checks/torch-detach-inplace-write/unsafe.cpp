// RUN: %check %s
#include <torch/torch.h>

void saved_value() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto log = h.detach();
  // CHECK-FIXES: auto log = h.detach().clone();
  log.mul_(100);
  // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: throws] [torch-detach-inplace-write]
  h.sum().backward();
}

void value_that_the_loss_uses() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 1;
  auto log = h.detach();
  // CHECK-FIXES: auto log = h.detach().clone();
  log.mul_(100);
  // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: wrong] [torch-detach-inplace-write]
  h.pow(2).sum().backward();
}

void leaf_between_forward_and_backward() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto loss = w.pow(2).sum();
  w.detach().zero_();
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: throws] [torch-detach-inplace-write]
  loss.backward();
}

void view_of_the_alias() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto first = h.detach().narrow(0, 0, 1);
  // CHECK-FIXES: auto first = h.detach().clone().narrow(0, 0, 1);
  first.fill_(0);
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: throws] [torch-detach-inplace-write]
  h.sum().backward();
}

void through_tensor_data() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  h.tensor_data().mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:19: warning: {{.*}} [definite: throws] [torch-detach-inplace-write]
  // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}
