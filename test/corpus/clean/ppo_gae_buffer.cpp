// clean: PPO with a rollout buffer filled in place, advantages normalised in place, value clipping and early stopping by KL.
#include <torch/torch.h>
#include <iostream>

struct Policy : torch::nn::Module {
  torch::nn::Linear body{4, 24}, pi{24, 3}, v{24, 1};
  Policy() {
    register_module("body", body);
    register_module("pi", pi);
    register_module("v", v);
  }
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& s) {
    auto h = torch::tanh(body(s));
    return {torch::log_softmax(pi(h), -1), v(h).squeeze(-1)};
  }
};

struct Buffer {
  static constexpr int64_t T = 16;
  torch::Tensor s = torch::zeros({T, 4}), a = torch::zeros({T}, torch::kLong), r = torch::zeros({T}), logp = torch::zeros({T}), v = torch::zeros({T + 1});
  torch::Tensor advantages() const {
    auto adv = torch::zeros({T});
    auto last = torch::zeros({});
    for (int64_t t = T - 1; t >= 0; --t) {
      auto delta = r[t] + 0.99 * v[t + 1] - v[t];
      last = delta + 0.99 * 0.95 * last;
      adv[t] = last;
    }
    return adv;
  }
};

void collect(Policy& policy, Buffer& b) {
  torch::NoGradGuard guard;
  auto s = torch::randn({4});
  for (int64_t t = 0; t < Buffer::T; ++t) {
    auto [logp, v] = policy.forward(s);
    auto a = logp.exp().multinomial(1);
    b.s[t] = s;
    b.a[t] = a.squeeze();
    b.logp[t] = logp.gather(0, a).squeeze();
    b.v[t] = v;
    b.r[t] = (a.item<int64_t>() == 1) == (s[0].item<float>() > 0) ? 1.0 : 0.0;
    s = 0.8 * s + 0.5 * torch::randn({4});
  }
  b.v[Buffer::T] = policy.forward(s).second;
}

int main() {
  torch::manual_seed(205);
  Policy policy;
  torch::optim::Adam opt(policy.parameters(), torch::optim::AdamOptions(3e-3).eps(1e-5));
  Buffer buffer;
  for (int iteration = 0; iteration < 3; ++iteration) {
    collect(policy, buffer);
    auto adv = buffer.advantages();
    auto returns = adv + buffer.v.slice(0, 0, Buffer::T);
    adv.sub_(adv.mean()).div_(adv.std() + 1e-8);
    for (int epoch = 0; epoch < 4; ++epoch) {
      auto [logp_all, v] = policy.forward(buffer.s);
      auto logp = logp_all.gather(1, buffer.a.unsqueeze(1)).squeeze(1);
      auto ratio = (logp - buffer.logp).exp();
      auto surrogate = torch::min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean();
      auto old_v = buffer.v.slice(0, 0, Buffer::T);
      auto clipped = old_v + (v - old_v).clamp(-0.2, 0.2);
      auto value_loss = 0.5 * torch::max((v - returns).pow(2), (clipped - returns).pow(2)).mean();
      auto entropy = -(logp_all.exp() * logp_all).sum(1).mean();
      auto kl = (buffer.logp - logp).mean().item<double>();
      if (kl > 0.5) break;
      opt.zero_grad();
      (-surrogate + 0.5 * value_loss - 0.01 * entropy).backward();
      torch::nn::utils::clip_grad_norm_(policy.parameters(), 0.5);
      opt.step();
    }
    std::cout << "reward " << buffer.r.mean().item<float>() << "\n";
  }
  //= policy
}
