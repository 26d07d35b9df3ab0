// RUN: %check %s
#include <torch/torch.h>
#include <iostream>
using namespace torch;

// Printed, added on some path, or a running total: read, or made of what was walked.
void read_after_all(bool regularise) {
  nn::Linear net(4, 4);
  optim::SGD opt(net->parameters(), 0.1);
  Tensor total = torch::zeros({});
  for (int i = 0; i < 3; ++i) {
    auto h = net(torch::randn({5, 4}));
    auto size = h.abs().mean();
    auto penalty = net->weight.pow(2).sum();
    auto loss = h.pow(2).mean();
    if (regularise)
      loss = loss + penalty;
    std::cout << size.item<float>();
    opt.zero_grad();
    loss.backward();
    opt.step();
    total = total + loss.detach();
  }
}

struct TwoHeads : nn::Module {
  nn::Linear trunk{4, 4}, mask{4, 1}, side{4, 1};
  TwoHeads() {
    register_module("trunk", trunk);
    register_module("mask", mask);
    register_module("side", side);
  }
};

// Each head has a loss on some of the rounds; what is printed is trained elsewhere.
void trained_in_turns() {
  TwoHeads net;
  optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 4; ++i) {
    auto h = torch::relu(net.trunk(torch::randn({5, 4})));
    auto mask = net.mask(h).pow(2).mean(), side = net.side(h).pow(2).mean();
    opt.zero_grad();
    if (i % 2 == 0)
      mask.backward();
    else
      side.backward();
    opt.step();
    std::cout << mask.item<float>() << " " << side.item<float>() << std::endl;
  }
}

// A head that the optimizer does not have.
void a_probe_that_is_watched() {
  TwoHeads net;
  auto params = net.trunk->parameters();
  for (auto &p : net.mask->parameters())
    params.push_back(p);
  optim::SGD opt(params, 0.1);
  for (int i = 0; i < 4; ++i) {
    auto h = torch::relu(net.trunk(torch::randn({5, 4})));
    auto loss = net.mask(h).pow(2).mean(), probe = net.side(h).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << probe.item<float>() << std::endl;
  }
}
