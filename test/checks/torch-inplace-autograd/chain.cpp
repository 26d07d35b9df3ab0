// RUN: %check %s
// The notes tell the way: who saved the value, where it is written, where backward runs; also across
// functions.
#include <torch/torch.h>

torch::Tensor activate(torch::Tensor x) {
  return torch::tanh(x);
  // CHECK-NOTES: :[[@LINE-1]]:{{[0-9]+}}: note: {{.*}}saved for backward by 'tanh' here
}

void scale(torch::Tensor &t) {
  t.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}}'tanh'{{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-NOTES: :[[@LINE-2]]:5: note: {{.*}}writes here
}

void train() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = activate(w);
  scale(h);
  h.sum().backward();
  // CHECK-NOTES: :[[@LINE-1]]:11: note: backward() runs here
}
// CHECK-FIXES: t = t.mul(2);
