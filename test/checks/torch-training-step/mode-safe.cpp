// RUN: %check %s
#include <torch/torch.h>
#include <cmath>
#include <iostream>
using namespace torch;

void switched_back() {
  nn::Sequential net(nn::Linear(4, 8), nn::Dropout(0.5), nn::Linear(8, 1));
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  for (int epoch = 0; epoch < 3; ++epoch) {
    net->train();
    auto loss = net->forward(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    net->eval();
    NoGradGuard guard;
    net->forward(x);
  }
}

void switched_back_each_round(int every) {
  nn::Sequential net(nn::Linear(4, 8), nn::Dropout(0.5), nn::Linear(8, 1));
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  for (int epoch = 0; epoch < 3; ++epoch) {
    net->train();
    auto loss = net->forward(x).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    if (epoch % every == 0) {
      net->eval();
      NoGradGuard guard;
      net->forward(x);
    }
  }
}

// Trained in evaluation mode on purpose: frozen statistics.
void frozen_statistics() {
  nn::BatchNorm1d norm(4);
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  for (int epoch = 0; epoch < 3; ++epoch) {
    if (epoch == 1)
      norm->eval();
    auto loss = net(norm(torch::randn({5, 4}))).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

// Looked at, cleared, and only then trained.
void tutorial() {
  nn::Linear net(4, 1);
  net(torch::randn({5, 4})).sum().backward();
  std::cout << net->weight.grad();
  net->zero_grad();
  net(torch::randn({5, 4})).sum().backward();
  net->zero_grad();
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}
