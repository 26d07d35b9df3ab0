// RUN: %check %s
#include <torch/torch.h>

void saved_result() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

void compound_assignment() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  h += 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h + 1;
  h.sum().backward();
}

void compound_assignment_of_a_sum() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto b = torch::ones({3});
  auto h = torch::sigmoid(w);
  h *= b + 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h * (b + 1);
  h.sum().backward();
}

void saved_argument() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto loss = h.pow(2).sum();
  h.zero_();
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { h = h.clone(); h.zero_(); }
  loss.backward();
}

void index_assignment() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  h[0] = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

void index_put() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::tanh(w);
  h.index_put_({0}, 0);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { h = h.clone(); h.index_put_({0}, 0); }
  h.sum().backward();
}

void masked_fill() {
  auto w = torch::ones({2, 3}, torch::requires_grad());
  auto h = torch::softmax(w, 1);
  h.masked_fill_(h < 0.5, 0);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.masked_fill(h < 0.5, 0);
  h.sum().backward();
}

void leaf() {
  auto w = torch::ones({3}, torch::requires_grad());
  w.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { torch::NoGradGuard no_grad; w.mul_(2); }
  w.sum().backward();
}

void out_form() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  torch::mul_out(h, w, w);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

void element_of_unbind() {
  auto w = torch::ones({2, 3}, torch::requires_grad());
  auto rows = (w * 2).unbind(0);
  rows[0].mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: rows[0] = rows[0].mul(2);
  rows[0].sum().backward();
}

torch::Tensor scale(torch::Tensor t) {
  t.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: t = t.mul(2);
  return t;
}

void in_a_helper() {
  auto w = torch::ones({3}, torch::requires_grad());
  scale(torch::sqrt(w)).sum().backward();
}

void in_one_branch(bool doubled) {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  if (doubled)
    h.mul_(2);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [possible: throws] [torch-inplace-autograd]
    // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

#define HALVE(t) t.div_(2)
void in_a_macro() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::tanh(w);
  HALVE(h);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}
