// clip-order, wrong: only the actor's gradients are divided by the loss scale, the critic's are clipped and stepped scaled.
#include <torch/torch.h>
#include <iostream>
#include <memory>

torch::nn::Sequential network(int64_t in, int64_t out) {
  return torch::nn::Sequential(torch::nn::Linear(in, 24), torch::nn::ReLU(), torch::nn::Linear(24, out));
}

struct Scaler {
  double factor = 256;
  void unscale(torch::optim::Optimizer& optimizer) const {
    for (auto& group : optimizer.param_groups())
      for (auto& p : group.params())
        if (p.grad().defined()) p.mutable_grad().div_(factor);
  }
};

class DDPG {
 public:
  void train_on(const torch::Tensor& s, const torch::Tensor& a, const torch::Tensor& r) {
    auto q = critic->forward(torch::cat({s, a}, 1)).squeeze(1);
    auto critic_loss = torch::mse_loss(q, r);
    critic_optimizer.zero_grad();
    (critic_loss * scaler.factor).backward(); //@
    scaler.unscale(critic_optimizer); //+
    torch::nn::utils::clip_grad_norm_(critic->parameters(), 1.0); //@
    critic_optimizer.step(); //@

    auto actor_loss = -critic->forward(torch::cat({s, torch::tanh(actor->forward(s))}, 1)).mean();
    actor_optimizer.zero_grad();
    (actor_loss * scaler.factor).backward();
    scaler.unscale(actor_optimizer);
    torch::nn::utils::clip_grad_norm_(actor->parameters(), 1.0);
    actor_optimizer.step();
    std::cout << "critic " << critic_loss.item<float>() << " actor " << actor_loss.item<float>() << std::endl;
  }

  torch::nn::Sequential actor = network(4, 2), critic = network(6, 1);

 private:
  torch::optim::SGD actor_optimizer{actor->parameters(), torch::optim::SGDOptions(1e-2)};
  torch::optim::SGD critic_optimizer{critic->parameters(), torch::optim::SGDOptions(1e-2)};
  Scaler scaler;
};

int main() {
  torch::manual_seed(110);
  DDPG agent;
  for (int i = 0; i < 4; ++i) {
    auto s = torch::randn({32, 4}), a = torch::rand({32, 2}) * 2 - 1;
    agent.train_on(s, a, 0.2 * (s.select(1, 0) * a.select(1, 0) - a.select(1, 1).pow(2)));
  }
  //= agent.actor, agent.critic
}
