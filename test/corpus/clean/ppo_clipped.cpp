// clean: PPO with detached log-probabilities, several epochs over one rollout.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct AC : torch::nn::Module {
  AC() {
    body = register_module("body", torch::nn::Linear(3, 32));
    mu = register_module("mu", torch::nn::Linear(32, 1));
    v = register_module("v", torch::nn::Linear(32, 1));
    log_std = register_parameter("log_std", torch::full({1}, -0.5));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor s) {
    auto h = torch::tanh(body(s));
    return {torch::tanh(mu(h)), v(h)};
  }
  torch::Tensor log_prob(torch::Tensor a, torch::Tensor m) {
    auto var = (log_std + log_std).exp();
    return -((a - m) * (a - m)) / (2 * var) - log_std;
  }
  torch::nn::Linear body{nullptr}, mu{nullptr}, v{nullptr};
  torch::Tensor log_std;
};

int main() {
  torch::manual_seed(0);
  auto ac = std::make_shared<AC>();
  torch::optim::Adam opt(ac->parameters(), 1e-3);
  std::vector<torch::Tensor> states, actions, rewards, log_probs, values;
  for (int t = 0; t < 10; ++t) {
    auto s = torch::randn({1, 3});
    auto [m, v] = ac->forward(s);
    auto a = m + ac->log_std.exp() * torch::randn_like(m);
    states.push_back(s);
    actions.push_back(a.detach());
    rewards.push_back(-a.detach().pow(2));
    log_probs.push_back(ac->log_prob(a, m).detach());
    values.push_back(v.detach());
  }
  std::vector<torch::Tensor> returns(values.size());
  torch::Tensor gae = torch::zeros({1, 1});
  for (int i = static_cast<int>(values.size()) - 1; i >= 0; --i) {
    gae = rewards[i] + 0.95 * gae;
    returns[i] = gae;
  }
  auto S = torch::cat(states), A = torch::cat(actions), R = torch::cat(returns), old = torch::cat(log_probs);
  auto adv = R - torch::cat(values);
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto [m, v] = ac->forward(S);
    auto ratio = (ac->log_prob(A, m) - old).exp();
    auto surr = torch::min(ratio * adv, ratio.clamp(0.8, 1.2) * adv);
    auto loss = 0.5 * (R - v).pow(2).mean() - surr.mean() - 0.001 * ac->log_std.sum();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
