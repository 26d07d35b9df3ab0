// RUN: %check %s
#include <torch/torch.h>
#include <iostream>
namespace nn = torch::nn;
namespace F = torch::nn::functional;

void after_layers_that_save_their_input() {
  nn::Sequential net(nn::Conv2d(nn::Conv2dOptions(3, 4, 3)), nn::BatchNorm2d(4),
                     nn::ReLU(nn::ReLUOptions().inplace(true)), nn::Flatten(),
                     nn::Linear(16, 4), nn::LeakyReLU(nn::LeakyReLUOptions().inplace(true)),
                     nn::Linear(4, 1));
  net->forward(torch::ones({2, 3, 4, 4})).sum().backward();
}

void not_in_place() {
  nn::Sequential net(nn::Linear(3, 3), nn::Sigmoid(), nn::ReLU());
  net->forward(torch::ones({2, 3})).sum().backward();
}

struct Residual : nn::Module {
  nn::Linear fc{nullptr};
  nn::ReLU relu{nullptr};
  Residual() {
    fc = register_module("fc", nn::Linear(3, 3));
    relu = register_module("relu", nn::ReLU(nn::ReLUOptions(true)));
  }
  torch::Tensor forward(torch::Tensor x) { return x + relu(fc(x)); }
};

void residual_that_ends_with_it() {
  nn::Linear stem(3, 3);
  Residual block;
  block.forward(stem(torch::ones({2, 3}))).sum().backward();
}

void functional() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto y = F::relu(w + 1, F::ReLUFuncOptions().inplace(true));
  y.sum().backward();
}

// A rectifier on what cannot be negative leaves it as it was.
void rectified_again() {
  auto w = torch::randn({3}, torch::requires_grad());
  auto h = torch::log1p(w.abs());
  auto kept = h;
  auto y = F::leaky_relu(h, F::LeakyReLUFuncOptions().inplace(true));
  (y + torch::sigmoid(kept)).sum().backward();
}

// Dropout that drops gives a new tensor.
void behind_a_dropout() {
  auto w = torch::randn({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto y = torch::dropout(h, 0.2, /*train=*/true);
  torch::relu_(y);
  auto z = F::dropout(h);
  z.mul_(2);
  (y + z).sum().backward();
}

// Bounds below zero change nothing in what is not negative.
void rectified_behind_bounds() {
  auto w = torch::randn({3}, torch::requires_grad());
  auto h = F::hardtanh(w.sigmoid().reciprocal().clamp(-1, 1));
  auto kept = h;
  auto y = F::leaky_relu(h, F::LeakyReLUFuncOptions().inplace(true));
  (y + torch::sigmoid(kept)).sum().backward();
}

void rectified_behind_a_functional() {
  auto w = torch::randn({2, 3}, torch::requires_grad());
  auto h = F::softmax(w, F::SoftmaxFuncOptions(-1)).clamp(-1, 1);
  auto kept = h;
  auto y = F::leaky_relu(h, F::LeakyReLUFuncOptions().inplace(true));
  (y.pow(2) + torch::sigmoid(kept)).sum().backward();
}

// Run: what the older handle holds is only printed.
void of_data_and_only_printed() {
  torch::nn::Linear head(4, 1);
  auto features = torch::randn({2, 4}) * 2;
  auto y = torch::nn::functional::relu(features, torch::nn::functional::ReLUFuncOptions().inplace(true));
  std::cout << features.mean() << "\n";
  head(y).sum().backward();
}
