// RUN: %check %s
#include <torch/torch.h>
namespace nn = torch::nn;
namespace F = torch::nn::functional;

void after_a_layer_that_saves_its_result() {
  nn::Sequential net(nn::Linear(3, 3), nn::Sigmoid(),
                     nn::ReLU(nn::ReLUOptions().inplace(true)));
                     // CHECK-MESSAGES: :[[@LINE-1]]:49: warning: {{.*}} [definite: throws] [torch-inplace-activation]
                     // CHECK-FIXES: nn::ReLU(nn::ReLUOptions().inplace(false)));
  net->forward(torch::ones({2, 3})).sum().backward();
}

void positional() {
  nn::Sequential net(nn::Linear(3, 3), nn::Tanh(), nn::ELU(nn::ELUOptions().alpha(2).inplace(true)),
  // CHECK-MESSAGES: :[[@LINE-1]]:86: warning: {{.*}} [definite: throws] [torch-inplace-activation]
                     nn::Dropout(nn::DropoutOptions(0.5).inplace(true)));
                     // CHECK-MESSAGES: :[[@LINE-1]]:58: warning: {{.*}} [definite: throws] [torch-inplace-activation]
                     // CHECK-FIXES: nn::Sequential net(nn::Linear(3, 3), nn::Tanh(), nn::ELU(nn::ELUOptions().alpha(2).inplace(false)),
                     // CHECK-FIXES: nn::Dropout(nn::DropoutOptions(0.5).inplace(false)));
  net->forward(torch::ones({2, 3})).sum().backward();
}

struct Residual : nn::Module {
  nn::Linear fc{nullptr};
  nn::ReLU relu{nullptr};
  Residual() {
    fc = register_module("fc", nn::Linear(3, 3));
    relu = register_module("relu", nn::ReLU(nn::ReLUOptions(true)));
    // CHECK-MESSAGES: :[[@LINE-1]]:61: warning: {{.*}} [definite: wrong] [torch-inplace-activation]
    // CHECK-FIXES: relu = register_module("relu", nn::ReLU(nn::ReLUOptions(false)));
  }
  torch::Tensor forward(torch::Tensor x) { return x + fc(relu(x)); }
};

void residual() {
  nn::Linear stem(3, 3);
  Residual block;
  block.forward(stem(torch::ones({2, 3}))).sum().backward();
}

void functional() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto y = F::relu(h, F::ReLUFuncOptions().inplace(true));
  // CHECK-MESSAGES: :[[@LINE-1]]:44: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  // CHECK-FIXES: auto y = F::relu(h, F::ReLUFuncOptions().inplace(false));
  y.sum().backward();
}

// Dropout that drops nothing gives its argument back.
void behind_a_dropout_that_does_nothing() {
  auto w = torch::randn({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto y = torch::dropout(h, 0.2, /*train=*/false);
  y = F::relu(y, F::ReLUFuncOptions().inplace(true));
  // CHECK-MESSAGES: :[[@LINE-1]]:39: warning: {{.*}} [definite: throws] [torch-inplace-activation]
  y.sum().backward();
}

// The features are data; their mean, of which nothing is trained, is of what the activation left.
void of_data() {
  nn::Linear head(4, 1);
  auto features = torch::randn({2, 4}) * 2;
  auto y = F::relu(features, F::ReLUFuncOptions().inplace(true));
  // CHECK-MESSAGES: :[[@LINE-1]]:51: warning: {{.*}} [definite: wrong] [torch-inplace-activation]
  auto mean = features.mean(0, true);
  (head(y) + head(mean)).sum().backward();
}
