// RUN: %check %s
// SHOW-BENIGN
// With ShowBenign, real defects stay what they are.
#include <torch/torch.h>

void defect() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}
// CHECK-FIXES: h = h.mul(2);
