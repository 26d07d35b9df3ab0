// RUN: %check %s
#include <torch/torch.h>
using namespace torch;

void target_is_cut() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto s = torch::randn({5, 4}), next = torch::randn({5, 4}), r = torch::rand({5});
  auto q = std::get<0>(net(s).max(1));
  auto loss = torch::mse_loss(q, r + 0.9 * std::get<0>(net(next).max(1)).detach());
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// Both sides are trained, on purpose.
void siamese() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  auto loss = torch::mse_loss(net(x + 0.1), net(x - 0.1)) + torch::mse_loss(net(x), torch::randn({5, 3}));
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// A step in time: the network is on both sides, with data.
void time_step() {
  nn::Linear net(3, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 3});
  auto half = x + 0.5 * net(x);
  auto loss = torch::mse_loss(x + net(x), half + 0.5 * net(half));
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// Another network's word, trained by an optimizer of its own.
void two_networks() {
  nn::Linear net(4, 1), other(4, 1);
  optim::SGD opt(net->parameters(), 0.1), opt2(other->parameters(), 0.1);
  auto s = torch::randn({5, 4}), next = torch::randn({5, 4}), r = torch::rand({5, 1});
  auto loss = torch::mse_loss(net(s), r + 0.9 * other(next));
  opt.zero_grad();
  opt2.zero_grad();
  loss.backward();
  opt.step();
  opt2.step();
}

// Weights that are learned along with what they weight.
void learned_weights() {
  nn::Linear pi(4, 3), w(4, 1);
  auto params = pi->parameters();
  for (auto &p : w->parameters())
    params.push_back(p);
  optim::SGD opt(params, 0.1);
  auto s = torch::randn({5, 4});
  auto a = torch::randint(0, 3, {5, 1});
  auto log_var = w(s);
  auto loss = -(torch::log_softmax(pi(s), 1).gather(1, a) * torch::exp(-log_var)).mean() + log_var.mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// Returns of rewards alone, or of values that are cut.
void stacked_returns_cut() {
  nn::Linear critic(4, 1);
  optim::SGD opt(critic->parameters(), 0.1);
  std::vector<Tensor> states, returns(3);
  auto next = critic(torch::randn({5, 4})).detach();
  auto g = next;
  for (int t = 2; t >= 0; --t) {
    auto s = torch::randn({5, 4}), r = torch::rand({5, 1});
    g = r + 0.9 * (0.1 * next + 0.9 * g);
    returns[t] = g;
    states.insert(states.begin(), s);
    next = critic(s).detach();
  }
  auto loss = torch::mse_loss(critic(torch::stack(states)), torch::stack(returns));
  opt.zero_grad();
  loss.backward();
  opt.step();
}

// A rollout of a learned step, against the states themselves.
void stacked_rollout() {
  nn::Linear step(4, 4);
  optim::SGD opt(step->parameters(), 0.1);
  auto start = torch::randn({5, 4});
  std::vector<Tensor> path;
  auto x = start;
  for (int t = 0; t < 3; ++t) {
    x = x + 0.1 * step(x);
    path.push_back(x);
  }
  auto loss = torch::mse_loss(torch::stack(path), torch::randn({3, 5, 4}));
  opt.zero_grad();
  loss.backward();
  opt.step();
}
