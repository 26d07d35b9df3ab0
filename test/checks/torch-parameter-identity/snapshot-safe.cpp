// RUN: %check %s
#include <torch/torch.h>
#include <map>
#include <string>
using namespace torch;

void train(nn::Linear &net, optim::Optimizer &opt) {
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void cloned() {
  nn::Linear net(4, 3), target(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  std::map<std::string, Tensor> best;
  std::vector<Tensor> kept;
  for (auto &p : net->named_parameters())
    best[p.key()] = p.value().detach().clone();
  for (auto &p : net->parameters())
    kept.push_back(p.clone().detach());
  train(net, opt);
  auto loss = net(torch::randn({5, 4})).pow(2).mean() + (net->weight - kept[0]).pow(2).sum();
  opt.zero_grad();
  loss.backward();
  opt.step();
  NoGradGuard guard;
  for (auto &p : net->named_parameters())
    p.value().copy_(best[p.key()]);
  auto to = target->parameters(), from = net->parameters();
  for (size_t i = 0; i < to.size(); ++i)
    to[i].copy_(from[i]);
}

// A second name by itself, and weights rescaled through it.
void two_names() {
  nn::Linear net(4, 3);
  auto same = net;
  optim::SGD opt(same->parameters(), 0.1);
  train(net, opt);
  NoGradGuard guard;
  for (auto &p : same->parameters())
    p.copy_(p / p.norm());
}

// Two networks share a part: copying all of one to the other copies the part onto itself.
void shared_part() {
  nn::Linear trunk(4, 4), head(4, 3), other(4, 3);
  auto stem = trunk;
  nn::Sequential online(trunk, head), target(stem, other);
  optim::SGD opt(online->parameters(), 0.1);
  auto loss = online->forward(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
  NoGradGuard guard;
  auto to = target->parameters(), from = online->parameters();
  for (size_t i = 0; i < to.size(); ++i)
    to[i].copy_(from[i]);
}

// Zero in value and one in slope, on purpose.
void straight_through() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto h = net(torch::randn({5, 4}));
    auto loss = (torch::exp(h - h.detach()) * torch::randn({5, 3})).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

// One tensor several times, never written; rows of one buffer, each written once.
void repeated() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto pad = torch::zeros({4}), rows = torch::zeros({3, 4});
  std::vector<Tensor> seen{pad, pad};
  for (int i = 0; i < 3; ++i) {
    rows[i].copy_(torch::randn({4}));
    seen.push_back(rows[i]);
  }
  auto loss = net(torch::stack(seen)).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// An optimizer of one's own steps through handles that it keeps, by the gradients of the parameters.
void steps_through_aliases() {
  nn::Linear net(4, 1);
  const std::vector<Tensor> parameters = net->parameters();
  std::vector<Tensor> data, shadow;
  for (const auto &p : parameters) {
    data.push_back(p.data());
    shadow.push_back(p.detach().clone());
  }
  for (int i = 0; i < 3; ++i) {
    net(torch::randn({5, 4})).pow(2).mean().backward();
    torch::NoGradGuard guard;
    for (size_t k = 0; k < data.size(); ++k) {
      data[k].mul_(0.999).sub_(0.1 * parameters[k].grad());
      data[k].copy_(data[k] - 0.1 * parameters[k].grad());
      shadow[k].mul_(0.9).add_(parameters[k], 0.1);
    }
    net->zero_grad();
  }
}

// A decay by two names of one weight: no average, and no old value wanted.
void decay_by_two_names() {
  nn::Linear net(3, 1);
  optim::SGD opt(net->parameters(), 0.1);
  auto weight = net->weight.detach();
  auto same = net->weight.data();
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    net(torch::randn({4, 3})).pow(2).mean().backward();
    opt.step();
    weight.add_(same, -0.01);
  }
}
