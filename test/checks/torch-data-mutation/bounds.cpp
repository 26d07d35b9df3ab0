// RUN: %check %s
// What is known of the numbers: writes that leave them, or what is read of them, as they were. Run:
// every function without a finding has the gradients that it has without the write.
#include <torch/torch.h>

void signs_stay(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto h = net(x);
  auto copy = h.data();
  auto positive = h.abs();
  copy.tanh_();
  torch::clamp_out(copy, copy, -0.05, 0.05);
  (positive * positive).sum().backward();
}

void signs_go(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto h = net(x);
  auto positive = h.abs();
  h.data().clamp_(0, 1);
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  // CHECK-FIXES: h = h.clamp(0, 1);
  (positive * positive).sum().backward();
}

void squares_are_not_negative(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto h = net(x);
  auto product = h * h, power = h.pow(2);
  product.data().relu_();
  power.data().abs_();
  (product * product + power * power).sum().backward();
}

void cubes_are(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto h = net(x);
  auto cube = h.pow(3);
  cube.data().abs_();
  // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  // CHECK-FIXES: cube = cube.abs();
  (cube * cube).sum().backward();
}

void within_the_limits(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto bounded = net(x).tanh();
  bounded.data().clamp_(-1, 1);
  auto limited = torch::hardtanh(net(x));
  limited.data().clamp_(-2, 2);
  auto share = torch::softmax(net(x), -1);
  share.data().clamp_min_(0);
  (bounded * bounded + limited * limited + share * share).sum().backward();
}

void beyond_the_limits(torch::Tensor x, double limit) {
  torch::nn::Linear net(4, 4);
  auto bounded = net(x).tanh();
  bounded.data().clamp_(-0.5, 0.5);
  // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  // CHECK-FIXES: bounded = bounded.clamp(-0.5, 0.5);
  auto other = net(x).tanh();
  other.data().clamp_(-1, limit);
  // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  // CHECK-FIXES: other = other.clamp(-1, limit);
  (bounded * bounded + other * other).sum().backward();
}

void neutral_numbers(torch::Tensor x) {
  torch::nn::Linear net(4, 4);
  auto h = net(x);
  h.data().mul_(1).add_(0);
  (h * h).sum().backward();
}
