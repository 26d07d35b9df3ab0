// RUN: %check %s
// A repair in a template would hold for every instantiation, one in a macro for every use: the defect is told, and
// the repair is left to the author. Run: each of these throws.
#include <torch/torch.h>

template <typename T> T doubled(T h) {
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  return h;
}

void by_a_function_template(torch::nn::Linear &layer, torch::Tensor x) {
  auto h = layer->forward(x).sigmoid();
  doubled(h).sum().backward();
}

template <typename Net> struct Trainer {
  Net net;
  void step(torch::Tensor x) {
    auto h = net->forward(x).tanh();
    h.add_(1);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
    h.sum().backward();
  }
};

void by_a_class_template(torch::nn::Linear &layer, torch::Tensor x) {
  Trainer<torch::nn::Linear> trainer{layer};
  trainer.step(x);
}

void by_a_generic_lambda(torch::nn::Linear &layer, torch::Tensor x) {
  auto halve = [](auto &t) {
    t.div_(2);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  };
  auto h = layer->forward(x).exp();
  halve(h);
  h.sum().backward();
}

#define DOUBLE(t) t.mul_(2)

void by_a_macro(torch::nn::Linear &layer, torch::Tensor x) {
  auto h = layer->forward(x).sigmoid();
  DOUBLE(h);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

#define IN_PLACE true

void by_the_option_of_a_macro(torch::nn::Linear &layer, torch::Tensor x) {
  auto h = layer->forward(x).sigmoid();
  torch::nn::ReLU relu(torch::nn::ReLUOptions().inplace(IN_PLACE));
  // CHECK-MESSAGES: :[[@LINE-1]]:49: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  relu(h).sum().backward();
}
