// zero-grad, stale: the gradients are zeroed once per update, not for each minibatch that steps.
#include <torch/torch.h>
#include <iostream>
#include <tuple>
#include <vector>

struct ActorCritic : torch::nn::Module {
  torch::nn::Linear shared{nullptr}, mu{nullptr}, value{nullptr};
  torch::Tensor log_std;
  ActorCritic(int64_t obs, int64_t act) {
    shared = register_module("shared", torch::nn::Linear(obs, 32));
    mu = register_module("mu", torch::nn::Linear(32, act));
    value = register_module("value", torch::nn::Linear(32, 1));
    log_std = register_parameter("log_std", torch::full({act}, -0.5));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& s) {
    auto h = torch::tanh(shared(s));
    return {mu(h), value(h).squeeze(-1)};
  }
  torch::Tensor log_prob(const torch::Tensor& mean, const torch::Tensor& a) {
    auto var = (2 * log_std).exp();
    return (-(a - mean).pow(2) / (2 * var) - log_std).sum(-1);
  }
};

struct Rollout {
  torch::Tensor states, actions, log_probs, returns, advantages;
};

class PPO {
 public:
  PPO() : model(std::make_shared<ActorCritic>(6, 2)), opt(model->parameters(), 1e-3) {}

  Rollout collect() {
    torch::NoGradGuard guard;
    Rollout r;
    r.states = torch::randn({64, 6});
    auto [mean, value] = model->forward(r.states);
    r.actions = mean + model->log_std.exp() * torch::randn_like(mean);
    r.log_probs = model->log_prob(mean, r.actions);
    r.returns = -r.actions.pow(2).sum(1) + r.states.select(1, 0);
    r.advantages = r.returns - value;
    return r;
  }

  void update(const Rollout& r, int epochs, int64_t batch) {
    opt.zero_grad(); //-@
    for (int e = 0; e < epochs; ++e) {
      auto order = torch::randperm(r.states.size(0));
      for (int64_t start = 0; start < order.size(0); start += batch) {
        auto idx = order.slice(0, start, start + batch);
        auto [mean, value] = model->forward(r.states.index_select(0, idx));
        auto ratio = (model->log_prob(mean, r.actions.index_select(0, idx)) - r.log_probs.index_select(0, idx)).exp();
        auto adv = r.advantages.index_select(0, idx);
        auto policy_loss = -torch::min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean();
        auto value_loss = (value - r.returns.index_select(0, idx)).pow(2).mean();
        opt.zero_grad(); //+
        (policy_loss + 0.5 * value_loss).backward(); //@
        opt.step(); //@
      }
    }
  }

  std::shared_ptr<ActorCritic> model;
  torch::optim::Adam opt;
};

int main() {
  torch::manual_seed(0);
  PPO ppo;
  for (int i = 0; i < 2; ++i) {
    auto rollout = ppo.collect();
    ppo.update(rollout, 2, 32);
    std::cout << "return " << rollout.returns.mean().item<float>() << "\n";
  }
  //= ppo.model
}
