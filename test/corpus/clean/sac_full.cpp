// clean: soft actor-critic: twin critics, targets by Polyak, critics frozen for the actor's loss, learned temperature.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

using torch::Tensor;

struct QImpl : torch::nn::Module {
  torch::nn::Linear l1, l2;
  QImpl(int64_t s, int64_t a) : l1(s + a, 24), l2(24, 1) {
    register_module("l1", l1);
    register_module("l2", l2);
  }
  Tensor forward(Tensor s, Tensor a) { return l2(torch::relu(l1(torch::cat({s, a}, 1)))).squeeze(1); }
};
TORCH_MODULE(Q);

struct ActorImpl : torch::nn::Module {
  torch::nn::Linear body, mean, log_std;
  ActorImpl(int64_t s, int64_t a) : body(s, 24), mean(24, a), log_std(24, a) {
    register_module("body", body);
    register_module("mean", mean);
    register_module("log_std", log_std);
  }
  std::pair<Tensor, Tensor> sample(const Tensor& s) {
    auto h = torch::relu(body(s));
    auto mu = mean(h), ls = log_std(h).clamp(-5, 2);
    auto noise = torch::randn_like(mu);
    auto raw = mu + ls.exp() * noise;
    auto action = torch::tanh(raw);
    auto logp = (-0.5 * noise.pow(2) - ls - 0.5 * std::log(2 * M_PI) - torch::log(1 - action.pow(2) + 1e-6)).sum(1);
    return {action, logp};
  }
};
TORCH_MODULE(Actor);

struct SAC {
  Actor actor{3, 2};
  Q q1{3, 2}, q2{3, 2}, t1{3, 2}, t2{3, 2};
  Tensor log_alpha = torch::zeros({1}, torch::requires_grad());
  torch::optim::Adam actor_opt{actor->parameters(), 3e-4}, q1_opt{q1->parameters(), 3e-4}, q2_opt{q2->parameters(), 3e-4};
  torch::optim::Adam alpha_opt{std::vector<Tensor>{log_alpha}, torch::optim::AdamOptions(3e-4)};

  SAC() {
    soft_update(q1, t1, 1.0);
    soft_update(q2, t2, 1.0);
  }
  static void soft_update(Q& from, Q& to, double tau) {
    torch::NoGradGuard guard;
    auto f = from->named_parameters();
    for (auto& p : to->named_parameters()) p.value().copy_(tau * f[p.key()] + (1 - tau) * p.value());
  }
  void freeze(bool on) {
    for (auto* q : {&q1, &q2})
      for (auto& p : (*q)->parameters()) p.requires_grad_(!on);
  }
  void learn(const Tensor& s, const Tensor& a, const Tensor& r, const Tensor& n) {
    Tensor target;
    {
      torch::NoGradGuard guard;
      auto [na, nlogp] = actor->sample(n);
      target = r + 0.99 * (torch::min(t1(n, na), t2(n, na)) - log_alpha.exp() * nlogp);
    }
    auto critic_loss = torch::mse_loss(q1(s, a), target) + torch::mse_loss(q2(s, a), target);
    q1_opt.zero_grad();
    q2_opt.zero_grad();
    critic_loss.backward();
    q1_opt.step();
    q2_opt.step();

    freeze(true);
    auto [pa, logp] = actor->sample(s);
    auto actor_loss = (log_alpha.exp().detach() * logp - torch::min(q1(s, pa), q2(s, pa))).mean();
    actor_opt.zero_grad();
    actor_loss.backward();
    actor_opt.step();
    freeze(false);

    auto alpha_loss = -(log_alpha * (logp - 2.0).detach()).mean();
    alpha_opt.zero_grad();
    alpha_loss.backward();
    alpha_opt.step();
    soft_update(q1, t1, 0.005);
    soft_update(q2, t2, 0.005);
    std::cout << critic_loss.item<float>() << " " << actor_loss.item<float>() << "\n";
  }
};

int main() {
  torch::manual_seed(4);
  SAC sac;
  for (int i = 0; i < 4; ++i) sac.learn(torch::randn({16, 3}), torch::rand({16, 2}) * 2 - 1, torch::randn({16}), torch::randn({16, 3}));
  //= sac.actor, sac.q1, sac.q2
}
