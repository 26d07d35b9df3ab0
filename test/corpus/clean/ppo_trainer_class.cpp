// clean: PPO with old log-probabilities and advantages taken under a guard, several epochs over one roll-out.
#include <torch/torch.h>
#include <iostream>
#include <random>

struct Rollout {
  std::vector<torch::Tensor> states, actions, logp, values;
  std::vector<float> rewards;
  void clear() { states.clear(); actions.clear(); logp.clear(); values.clear(); rewards.clear(); }
};

struct ActorCriticImpl : torch::nn::Module {
  ActorCriticImpl() : body(4, 32), mean(32, 1), value(32, 1) {
    register_module("body", body);
    register_module("mean", mean);
    register_module("value", value);
    log_std = register_parameter("log_std", torch::full({1}, -0.5));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& s) {
    auto h = torch::tanh(body(s));
    return {mean(h).squeeze(-1), value(h).squeeze(-1)};
  }
  torch::Tensor log_prob(const torch::Tensor& mu, const torch::Tensor& a) {
    auto var = (2 * log_std).exp();
    return -(a - mu).pow(2) / (2 * var) - log_std - 0.5 * std::log(2 * M_PI);
  }
  torch::nn::Linear body, mean, value;
  torch::Tensor log_std;
};
TORCH_MODULE(ActorCritic);

class PPO {
 public:
  void collect(int steps) {
    torch::NoGradGuard guard;
    auto s = torch::randn({4});
    for (int i = 0; i < steps; ++i) {
      auto [mu, v] = ac_->forward(s);
      auto a = mu + ac_->log_std.exp().squeeze() * torch::randn({});
      rollout_.states.push_back(s);
      rollout_.actions.push_back(a);
      rollout_.logp.push_back(ac_->log_prob(mu, a).squeeze());
      rollout_.values.push_back(v);
      rollout_.rewards.push_back(-std::abs(a.item<float>() - s[0].item<float>()));
      s = torch::randn({4});
    }
  }
  void update(int epochs, int64_t minibatch) {
    auto states = torch::stack(rollout_.states), actions = torch::stack(rollout_.actions);
    auto old_logp = torch::stack(rollout_.logp), values = torch::stack(rollout_.values);
    auto advantages = torch::zeros_like(values);
    float gae = 0;
    for (int64_t t = values.size(0) - 1; t >= 0; --t) {
      float next = t + 1 < values.size(0) ? values[t + 1].item<float>() : 0.f;
      gae = rollout_.rewards[t] + 0.99f * next - values[t].item<float>() + 0.95f * 0.99f * gae;
      advantages[t] = gae;
    }
    auto returns = advantages + values;
    advantages.sub_(advantages.mean()).div_(advantages.std() + 1e-8);
    for (int e = 0; e < epochs; ++e) {
      auto order = torch::randperm(states.size(0), torch::kLong);
      for (const auto& idx : order.split(minibatch)) {
        auto [mu, v] = ac_->forward(states.index({idx}));
        auto ratio = (ac_->log_prob(mu, actions.index({idx})) - old_logp.index({idx})).exp();
        auto adv = advantages.index({idx});
        auto loss = -torch::min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean() + 0.5 * (returns.index({idx}) - v).pow(2).mean() - 0.01 * ac_->log_std.sum();
        opt_.zero_grad();
        loss.backward();
        torch::nn::utils::clip_grad_norm_(ac_->parameters(), 0.5);
        opt_.step();
      }
    }
    rollout_.clear();
  }

 private:
  ActorCritic ac_;
  torch::optim::Adam opt_{ac_->parameters(), torch::optim::AdamOptions(3e-4).eps(1e-5)};
  Rollout rollout_;
};

int main() {
  torch::manual_seed(17);
  PPO ppo;
  for (int i = 0; i < 3; ++i) {
    ppo.collect(24);
    ppo.update(3, 8);
    std::cout << "iteration " << i << '\n';
  }
}
