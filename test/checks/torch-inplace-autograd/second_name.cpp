// RUN: %check %s
// A second name for a tensor sees what is written through the first. Who made it to keep the old value
// reads the new one; who made it to write through it, or reads only the name written through, is right.
#include <torch/torch.h>

void kept_for_the_residual() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto skip = h;
  h.sub_(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}}older handle [definite: wrong] [torch-inplace-autograd]
  (torch::tanh(h + 1) + skip).sum().backward();
}
// CHECK-FIXES: h = h.sub(1);

torch::Tensor block(torch::Tensor x) {
  auto identity = x;
  x = torch::sigmoid_(x);
  // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}}older handle [definite: wrong] [torch-inplace-autograd]
  return x.sum() + identity.mean();
}

void kept_by_a_function() {
  auto w = torch::ones({3}, torch::requires_grad());
  block(w * 2).backward();
}

void kept_in_a_list() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  std::vector<torch::Tensor> history;
  history.push_back(h);
  h[0] = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}}older handle [definite: wrong] [torch-inplace-autograd]
  (h.sum() + history[0].mean()).backward();
}

void made_to_write_through() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto out = h;
  out.sub_(1);
  h.sum().backward();
}

void scale(torch::Tensor t) { t.mul_(2); }

void parameter_of_a_function() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 2;
  scale(h);
  h.sum().backward();
}

void the_first_name_moves_on() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 2;
  auto skip = h;
  h = h + 1;
  h.mul_(2);
  (h + skip).sum().backward();
}

void data_may_change() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto x = torch::ones({3});
  auto same = x;
  x.mul_(2);
  (w * same).sum().backward();
}

void result_for_the_second_name() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto out = h;
  out = out.tanh_();
  // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}}older handle [definite: wrong] [torch-inplace-autograd]
  (h.sum() + out.sum()).backward();
}

void result_for_the_only_name() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  h = h.tanh_();
  h.sum().backward();
}

void result_of_a_function_for_the_second_name() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto out = h;
  out = torch::sigmoid_(out);
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}}older handle [definite: wrong] [torch-inplace-autograd]
  (h * 3 + out).sum().backward();
}
