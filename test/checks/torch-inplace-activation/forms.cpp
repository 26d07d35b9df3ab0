// RUN: %check %s
// Every form in which in-place is asked for. Run: each of these throws.
#include <torch/torch.h>
namespace nn = torch::nn;
namespace F = torch::nn::functional;

void relu_module(torch::Tensor x) {
  nn::Linear fc(3, 3);
  nn::ReLU act(true);
  // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: nn::ReLU act(false);
  auto h = fc->forward(x).sigmoid();
  act->forward(h).sum().backward();
}

void relu6_in_a_sequential(torch::Tensor x) {
  nn::Sequential net(nn::Linear(3, 3), nn::Sigmoid(), nn::ReLU6(true));
  // CHECK-MESSAGES: :[[@LINE-1]]:65: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: nn::Sequential net(nn::Linear(3, 3), nn::Sigmoid(), nn::ReLU6(false));
  net->forward(x).sum().backward();
}

void selu_module_for_one_call(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).exp();
  nn::SELU(true)(h).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: nn::SELU(false)(h).sum().backward();
}

void functional_dropout(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::dropout(h, F::DropoutFuncOptions().p(0.5).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:48: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::dropout(h, F::DropoutFuncOptions().p(0.5).inplace(false)).sum().backward();
}

void functional_elu(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).tanh();
  F::elu(h, F::ELUFuncOptions().alpha(0.5).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:44: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::elu(h, F::ELUFuncOptions().alpha(0.5).inplace(false)).sum().backward();
}

void functional_leaky_relu(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).tanh();
  F::leaky_relu(h, F::LeakyReLUFuncOptions().negative_slope(0.1).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:66: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::leaky_relu(h, F::LeakyReLUFuncOptions().negative_slope(0.1).inplace(false)).sum().backward();
}

void functional_hardtanh(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).exp();
  F::hardtanh(h, F::HardtanhFuncOptions().min_val(-1).max_val(1).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:66: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::hardtanh(h, F::HardtanhFuncOptions().min_val(-1).max_val(1).inplace(false)).sum().backward();
}

void functional_threshold(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::threshold(h, F::ThresholdFuncOptions(0.5, 0.5).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:53: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::threshold(h, F::ThresholdFuncOptions(0.5, 0.5).inplace(false)).sum().backward();
}

void functional_celu(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::celu(h, F::CELUFuncOptions().alpha(0.5).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:46: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::celu(h, F::CELUFuncOptions().alpha(0.5).inplace(false)).sum().backward();
}

void functional_selu(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::selu(h, F::SELUFuncOptions(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:33: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::selu(h, F::SELUFuncOptions(false)).sum().backward();
}

void functional_relu6(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::relu6(h, F::ReLU6FuncOptions(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:35: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::relu6(h, F::ReLU6FuncOptions(false)).sum().backward();
}

void functional_rrelu(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::rrelu(h, F::RReLUFuncOptions().inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:37: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::rrelu(h, F::RReLUFuncOptions().inplace(false)).sum().backward();
}

void functional_relu_without_options(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::relu(h, true).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::relu(h, false).sum().backward();
}

void functional_dropout2d(torch::Tensor x) {
  nn::Conv2d fc(nn::Conv2dOptions(1,1,1));
  auto h = fc->forward(torch::ones({1,1,3,3})).sigmoid();
  F::dropout2d(h, F::Dropout2dFuncOptions().p(0.5).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:52: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::dropout2d(h, F::Dropout2dFuncOptions().p(0.5).inplace(false)).sum().backward();
}

void functional_alpha_dropout_in_training(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::alpha_dropout(h, F::AlphaDropoutFuncOptions().p(0.5).training(true).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:74: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::alpha_dropout(h, F::AlphaDropoutFuncOptions().p(0.5).training(true).inplace(false)).sum().backward();
}

void functional_feature_alpha_dropout_in_training(torch::Tensor x) {
  nn::Linear fc(3, 3);
  auto h = fc->forward(x).sigmoid();
  F::feature_alpha_dropout(h, F::FeatureAlphaDropoutFuncOptions().p(0.5).training(true).inplace(true)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:89: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: F::feature_alpha_dropout(h, F::FeatureAlphaDropoutFuncOptions().p(0.5).training(true).inplace(false)).sum().backward();
}
