// RUN: %check %s
// A rectifier finds nothing to do where nothing is negative: who reads the older handle reads the same.
#include <torch/torch.h>
namespace F = torch::nn::functional;

void after_a_sigmoid() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w).mean(0, true);
  auto skip = h;
  auto out = F::relu(h, F::ReLUFuncOptions().inplace(true));
  (out + skip).sum().backward();
}

void after_a_sum() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 1;
  auto skip = h;
  auto out = F::relu(h, F::ReLUFuncOptions().inplace(true));
  // CHECK-MESSAGES: :[[@LINE-1]]:46: warning: {{.*}}older handle {{.*}} [torch-inplace-activation]
  (out + skip).sum().backward();
}
// CHECK-FIXES: auto out = F::relu(h, F::ReLUFuncOptions().inplace(false));
