// RUN: %check %s
#include <torch/torch.h>

void saved_value() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  h.data().mul_(100);
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  // CHECK-FIXES: h = h.mul(100);
  h.sum().backward();
}

void weight_between_forward_and_backward() {
  auto w = torch::full({3}, 2.0, torch::requires_grad());
  auto loss = w.pow(2).sum();
  w.data().clamp_(-1, 1);
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

void through_variable_data() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::tanh(w);
  h.variable_data().zero_();
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void through_a_pointer() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto *p = h.data_ptr<float>();
  p[0] = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void through_an_accessor() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto a = h.accessor<float, 1>();
  a[0] = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  h.sum().backward();
}

void replaced_by_set_data() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto loss = w.pow(2).sum();
  w.set_data(torch::zeros({3}));
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

void index_assignment() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto loss = w.pow(2).sum();
  w.data()[0] = 5;
  // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

void a_convolution_is_replaced_by_set_data() {
  torch::nn::Conv2d net(1, 2, 3);
  auto loss = net(torch::ones({1, 1, 4, 4}).requires_grad_()).pow(2).sum();
  net->weight.set_data(torch::full({2, 1, 3, 3}, 0.2));
  // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  loss.backward();
}

void shifted_in_part_before_a_normalisation() {
  torch::nn::Linear net(3, 4);
  torch::nn::LayerNorm norm(torch::nn::LayerNormOptions({4}));
  auto h = net(torch::ones({2, 3}));
  auto alias = h.data();
  alias += torch::arange(4) * 0.3;
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: wrong] [torch-data-mutation]
  norm(h).pow(3).sum().backward();
}

// Run: the gradients are those of the old weight, the loss is of both.
void replaced_within_the_loss() {
  torch::nn::Linear first(4, 4), last(4, 1);
  torch::optim::SGD opt(first->parameters(), 0.1);
  auto loss = last(torch::relu(first(torch::randn({2, 4})))).mean();
  {
    torch::NoGradGuard guard;
    last->weight.set_data(last->weight.clamp(-1, 1));
    // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} within one loss{{.*}} [definite: wrong] [torch-data-mutation]
  }
  loss = loss + last->weight.abs().mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}
