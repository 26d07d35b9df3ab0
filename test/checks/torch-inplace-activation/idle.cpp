// RUN: %check %s
// Dropout that drops nothing writes nothing, in place or not. Run: all gradients are right but where it is said.
#include <torch/torch.h>
namespace nn = torch::nn;
namespace F = torch::nn::functional;

void functional_that_does_not_train(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  F::dropout(h, F::DropoutFuncOptions().p(0.5).training(false).inplace(true)).sum().backward();
}

void functional_with_a_rate_of_zero(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  F::dropout(h, F::DropoutFuncOptions().p(0).inplace(true)).sum().backward();
}

void of_channels_that_does_not_train(nn::Conv2d &conv, torch::Tensor x) {
  auto h = conv->forward(x).sigmoid();
  F::dropout2d(h, F::Dropout2dFuncOptions().p(0.5).training(false).inplace(true)).sum().backward();
}

void operator_that_does_not_train(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  torch::dropout_(h, 0.5, /*train=*/false).sum().backward();
}

void operator_of_features_that_does_not_train(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  torch::feature_dropout_(h, 0.5, /*train=*/false).sum().backward();
}

// These do not train unless they are told to.
void functional_alpha_dropout(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  F::alpha_dropout(h, F::AlphaDropoutFuncOptions().p(0.5).inplace(true)).sum().backward();
}

void functional_feature_alpha_dropout(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  F::feature_alpha_dropout(h, F::FeatureAlphaDropoutFuncOptions().p(0.5).inplace(true)).sum().backward();
}

// The module ignores the option.
void alpha_dropout_module(nn::Linear &fc, torch::Tensor x) {
  nn::AlphaDropout drop(nn::AlphaDropoutOptions(0.5).inplace(true));
  auto h = fc->forward(x).sigmoid();
  drop(h).sum().backward();
}

void module_in_evaluation(nn::Linear &fc, torch::Tensor x) {
  nn::Dropout drop(nn::DropoutOptions(0.5).inplace(true));
  drop->eval();
  auto h = fc->forward(x).sigmoid();
  drop(h).sum().backward();
}

struct Net : nn::Module {
  nn::Linear fc{register_module("fc", nn::Linear(3, 3))};
  torch::Tensor forward(torch::Tensor x) {
    auto h = fc->forward(x).sigmoid();
    return F::dropout(h, F::DropoutFuncOptions().p(0.5).training(is_training()).inplace(true));
    // CHECK-MESSAGES: :[[@LINE-1]]:81: warning: {{.*}} [definite: throws] [torch-inplace-activation]
    // CHECK-FIXES: .training(is_training()).inplace(false));
  }
};

void as_the_module_is_trained(torch::Tensor x) {
  Net net;
  net.forward(x).sum().backward();
}

void as_the_module_is_evaluated(torch::Tensor x) {
  Net net;
  net.eval();
  net.forward(x).sum().backward();
}

// What came back is the argument itself.
void written_after_it(nn::Linear &fc, torch::Tensor x) {
  auto h = fc->forward(x).sigmoid();
  auto y = F::dropout(h, F::DropoutFuncOptions().p(0.5).training(false).inplace(true));
  y.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: y = y.mul(2);
  y.sum().backward();
}
