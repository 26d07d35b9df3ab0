// RUN: %check %s
#include <torch/torch.h>
using namespace torch;

void q_learning() {
  nn::Sequential net(nn::Linear(4, 8), nn::ReLU(), nn::Linear(8, 3));
  optim::SGD opt(net->parameters(), 0.1);
  auto s = torch::randn({5, 4}), next = torch::randn({5, 4}), r = torch::rand({5});
  auto a = torch::randint(0, 3, {5, 1});
  auto q = net->forward(s).gather(1, a).squeeze(1);
  auto best = std::get<0>(net->forward(next).max(1));
  // CHECK-MESSAGES: :[[@LINE-1]]:46: warning: the target is computed with gradients {{.*}} [possible: wrong] [torch-missing-detach]
  auto loss = torch::mse_loss(q, r + 0.9 * best);
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void value_learning() {
  nn::Linear critic(4, 1);
  optim::SGD opt(critic->parameters(), 0.1);
  auto s = torch::randn({5, 4}), next = torch::randn({5, 4}), r = torch::rand({5, 1});
  auto target = r + 0.9 * critic(next);
  // CHECK-MESSAGES: :[[@LINE-1]]:19: warning: the target is computed with gradients {{.*}} [possible: wrong] [torch-missing-detach]
  auto loss = (critic(s) - target).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void advantage() {
  nn::Linear pi(4, 3), v(4, 1);
  auto params = pi->parameters();
  for (auto &p : v->parameters())
    params.push_back(p);
  optim::SGD opt(params, 0.1);
  auto s = torch::randn({5, 4}), returns = torch::rand({5, 1});
  auto a = torch::randint(0, 3, {5, 1});
  auto adv = returns - v(s);
  auto loss = -(torch::log_softmax(pi(s), 1).gather(1, a) * adv).mean() + adv.pow(2).mean();
  // CHECK-MESSAGES: :[[@LINE-1]]:59: warning: a log-probability is multiplied by an advantage {{.*}} [possible: wrong] [torch-missing-detach]
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// Returns that are made step by step from what the critic says of the next state.
void stacked_returns() {
  nn::Linear critic(4, 1);
  optim::SGD opt(critic->parameters(), 0.1);
  std::vector<Tensor> states, returns(3);
  auto next = critic(torch::randn({5, 4}));
  auto g = next;
  for (int t = 2; t >= 0; --t) {
    auto s = torch::randn({5, 4}), r = torch::rand({5, 1});
    g = r + 0.9 * (0.1 * next + 0.9 * g);
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: the target is computed with gradients {{.*}} [possible: wrong] [torch-missing-detach]
    returns[t] = g;
    states.insert(states.begin(), s);
    next = critic(s);
  }
  auto loss = torch::mse_loss(critic(torch::stack(states)), torch::stack(returns));
  opt.zero_grad();
  loss.backward();
  opt.step();
}
