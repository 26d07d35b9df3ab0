// RUN: %check %s
#include <torch/torch.h>
#include <cmath>
#include <iostream>
using namespace torch;

void left_in_eval() {
  nn::Sequential net(nn::Linear(4, 8), nn::Dropout(0.5), nn::Linear(8, 1));
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto loss = net->forward(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    net->eval();
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: the module is left in evaluation mode and trained in it: {{.*}} [definite: wrong] [torch-training-step]
    NoGradGuard guard;
    net->forward(x);
  }
}

// Whether it is evaluated again, changes nothing.
void left_in_eval_and_evaluated_again(int every) {
  nn::Sequential net(nn::Linear(4, 8), nn::Dropout(0.5), nn::Linear(8, 1));
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto loss = net->forward(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    NoGradGuard guard;
    net->eval();
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: the module is left in evaluation mode and trained in it: {{.*}} [definite: wrong] [torch-training-step]
    net->forward(x);
    if (epoch % every == 0) {
      net->eval();
      net->forward(x);
    }
  }
}

void clipped_by_hand_too_late() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto loss = net(torch::randn({5, 4})).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    double sum = 0;
    for (auto &p : net->parameters())
      sum += std::pow(p.grad().norm().item<double>(), 2);
    for (auto &p : net->parameters())
      p.grad().mul_(1.0 / (1.0 + std::sqrt(sum)));
    // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: clips gradients where none is waiting for a step{{.*}} [definite: wrong] [torch-training-step]
  }
}

// Whether it is evaluated in evaluation mode, a flag says.
void left_in_eval_by_some(bool deterministic) {
  nn::Sequential net(nn::Linear(4, 8), nn::Dropout(0.5), nn::Linear(8, 1));
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto loss = net->forward(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    NoGradGuard guard;
    if (deterministic)
      net->eval();
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: the module is left in evaluation mode and trained in it: {{.*}} [possible: wrong] [torch-training-step]
    net->forward(x);
  }
}
