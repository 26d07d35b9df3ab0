// clean: soft actor-critic: frozen critic in the actor's step, detached targets, a learnt temperature.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net(int i, int o) { a = register_module("a", torch::nn::Linear(i, 24)); b = register_module("b", torch::nn::Linear(24, o)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net actor(3, 2), q1(4, 1), q2(4, 1), t1(4, 1), t2(4, 1);
  auto log_alpha = torch::zeros({1}, torch::requires_grad());
  std::vector<torch::Tensor> critic_params = q1.parameters();
  auto more = q2.parameters();
  critic_params.insert(critic_params.end(), more.begin(), more.end());
  torch::optim::Adam actor_opt(actor.parameters(), 3e-4), critic_opt(critic_params, 3e-4), alpha_opt({log_alpha}, 3e-4);
  auto sample = [&](torch::Tensor s) {
    auto out = actor.forward(s).chunk(2, 1);
    auto std = out[1].clamp(-5, 2).exp();
    auto n = torch::randn_like(std);
    auto act = torch::tanh(out[0] + n * std);
    auto logp = (-0.5 * n.pow(2) - std.log()) - torch::log(1 - act.pow(2) + 1e-6);
    return std::make_pair(act, logp);
  };
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({8, 3}), s2 = torch::randn({8, 3}), a = torch::rand({8, 1}), r = torch::rand({8, 1});
    auto alpha = log_alpha.exp().detach();
    torch::Tensor y;
    {
      torch::NoGradGuard guard;
      auto [a2, logp2] = sample(s2);
      auto in = torch::cat({s2, a2}, 1);
      y = r + 0.99 * (torch::min(t1.forward(in), t2.forward(in)) - alpha * logp2);
    }
    auto sa = torch::cat({s, a}, 1);
    auto critic_loss = torch::mse_loss(q1.forward(sa), y) + torch::mse_loss(q2.forward(sa), y);
    critic_opt.zero_grad();
    critic_loss.backward();
    critic_opt.step();
    for (auto& p : critic_params) p.set_requires_grad(false);
    auto [act, logp] = sample(s);
    auto in = torch::cat({s, act}, 1);
    auto actor_loss = (alpha * logp - torch::min(q1.forward(in), q2.forward(in))).mean();
    actor_opt.zero_grad();
    actor_loss.backward();
    actor_opt.step();
    for (auto& p : critic_params) p.set_requires_grad(true);
    auto alpha_loss = -(log_alpha * (logp + 1).detach()).mean();
    alpha_opt.zero_grad();
    alpha_loss.backward();
    alpha_opt.step();
    torch::NoGradGuard guard;
    auto src = q1.parameters(), dst = t1.parameters();
    for (size_t k = 0; k < src.size(); ++k) dst[k].lerp_(src[k], 0.005);
    std::cout << critic_loss.item<float>() << " " << actor_loss.item<float>() << "\n";
  }
}
