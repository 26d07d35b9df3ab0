// RUN: %check %s
// Each program was run; its outcome is what was seen, `wrong` what follows from it.
#include <torch/torch.h>
using namespace torch;

void norm_of_hidden() {
  nn::Linear enc(4, 8), dec(8, 1);
  auto h = enc(torch::randn({5, 4}));
  dec(h).sum().backward();
  auto n = h.grad().norm().item<float>();
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: throws] [torch-nonleaf-grad]
}

void update_of_scaled() {
  // What must change is the line that makes it a result: it should be the leaf.
  auto w = torch::randn({4, 2}, torch::requires_grad()) * 0.1;
  // CHECK-MESSAGES: :[[@LINE-1]]:57: warning: {{.*}} [definite: throws] [torch-parameter-identity]
  torch::mm(torch::randn({5, 4}), w).pow(2).sum().backward();
  NoGradGuard g;
  w -= 0.1 * w.grad();
}

void variable_then_used() {
  nn::Linear enc(4, 8), dec(8, 1);
  auto h = torch::relu(enc(torch::randn({5, 4})));
  auto loss = dec(h).sum();
  loss.backward({}, true);
  auto g = h.grad();
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: throws] [torch-nonleaf-grad]
  auto penalty = (g * g).sum();
  (loss + penalty).backward();
}
