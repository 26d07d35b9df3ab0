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

void best_weights() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  std::map<std::string, Tensor> best;
  for (auto &p : net->named_parameters())
    best[p.key()] = p.value();
  // CHECK-MESSAGES: :[[@LINE-1]]:19: warning: what is kept of {{.*}} here shares its memory, and has changed with it when it is copied back [definite: stale] [torch-parameter-identity]
  train(net, opt);
  NoGradGuard guard;
  for (auto &p : net->named_parameters())
    p.value().copy_(best[p.key()]);
}

void assigned_list() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto live = net->parameters();
  auto kept = live;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: what is kept of {{.*}} [definite: stale] [torch-parameter-identity]
  train(net, opt);
  for (size_t i = 0; i < live.size(); ++i)
    live[i].data().copy_(kept[i]);
}

void distance_from_itself() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto reference = net->weight.detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: what is kept of {{.*}} when the two are compared [definite: wrong] [torch-parameter-identity]
  train(net, opt);
  auto loss = net(torch::randn({5, 4})).pow(2).mean() + (net->weight - reference).pow(2).sum();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void target_is_the_same() {
  nn::Linear online(4, 3);
  nn::Linear target = online;
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: this is a second name for one module, {{.*}} [definite: stale] [torch-parameter-identity]
  optim::SGD opt(online->parameters(), 0.1);
  train(online, opt);
  NoGradGuard guard;
  auto to = target->parameters(), from = online->parameters();
  for (size_t i = 0; i < to.size(); ++i)
    to[i].mul_(0.99).add_(from[i], 0.01);
}

void taken_back() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  nn::Linear best = net;
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: this is a second name for one module, {{.*}} [definite: stale] [torch-parameter-identity]
  train(net, opt);
  net = best;
}

void replayed() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto state = torch::zeros({4});
  std::vector<Tensor> seen;
  for (int i = 0; i < 3; ++i) {
    state.add_(torch::randn({4}));
    seen.push_back(state);
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: the list keeps one tensor several times, {{.*}} [definite: wrong] [torch-parameter-identity]
  }
  auto loss = net(torch::stack(seen)).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void follow(nn::Linear &target, nn::Linear &online) {
  NoGradGuard guard;
  auto to = target->parameters(), from = online->parameters();
  for (size_t i = 0; i < to.size(); ++i)
    to[i].copy_(0.9 * to[i] + 0.1 * from[i]);
}

// One defect: with a copy of the module, what is written in between is nobody's weight.
void target_is_the_same_and_follows_before_backward() {
  nn::Linear online(4, 3);
  nn::Linear target = online;
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: this is a second name for one module, {{.*}} [definite: throws] [torch-parameter-identity]
  optim::SGD opt(online->parameters(), 0.1);
  auto x = torch::randn({5, 4}, requires_grad());
  auto loss = (online(x) - target(x + 1).detach()).pow(2).mean();
  opt.zero_grad();
  follow(target, online);
  loss.backward();
  opt.step();
}

void target_is_the_same_and_follows_through_data() {
  nn::Linear online(4, 3);
  nn::Linear target = online;
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: this is a second name for one module, {{.*}} [definite: wrong] [torch-parameter-identity]
  optim::SGD opt(online->parameters(), 0.1);
  auto x = torch::randn({5, 4}, requires_grad());
  auto loss = (online(x) - target(x + 1).detach()).pow(2).mean();
  opt.zero_grad();
  auto to = target->parameters(), from = online->parameters();
  for (size_t i = 0; i < to.size(); ++i)
    to[i].data().mul_(0.9).add_(from[i].data(), 0.2);
  loss.backward();
  opt.step();
}

void an_average_of_aliases() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::map<std::string, Tensor> average;
  for (const auto &p : net->named_parameters())
    average[p.key()] = p.value().detach();
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}} shares its memory, {{.*}} [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 3; ++i) {
    train(net, opt);
    torch::NoGradGuard guard;
    for (const auto &p : net->named_parameters())
      average[p.key()].mul_(0.9).add_(p.value(), 0.1);
  }
}

void an_average_that_never_lags() {
  nn::Linear net(4, 1);
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<Tensor> average;
  for (const auto &p : net->parameters())
    average.push_back(p.data());
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}} shares its memory, {{.*}} [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 3; ++i) {
    train(net, opt);
    torch::NoGradGuard guard;
    auto now = net->parameters();
    for (size_t k = 0; k < now.size(); ++k)
      average[k].copy_(0.9 * average[k] + 0.1 * now[k]);
  }
}
