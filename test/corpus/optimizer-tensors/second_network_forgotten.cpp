// optimizer-tensors, stale: actor and critic are trained with one optimizer that was given only the actor.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Actor : torch::nn::Module {
  Actor(int s, int a) { l = register_module("l", torch::nn::Linear(s, 32)); o = register_module("o", torch::nn::Linear(32, a)); }
  torch::Tensor forward(torch::Tensor x) { return torch::log_softmax(o(torch::relu(l(x))), -1); }
  torch::nn::Linear l{nullptr}, o{nullptr};
};
struct Critic : torch::nn::Module {
  Critic(int s) { l = register_module("l", torch::nn::Linear(s, 32)); o = register_module("o", torch::nn::Linear(32, 1)); }
  torch::Tensor forward(torch::Tensor x) { return o(torch::relu(l(x))).squeeze(-1); }
  torch::nn::Linear l{nullptr}, o{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto actor = std::make_shared<Actor>(4, 2);
  auto critic = std::make_shared<Critic>(4);
  std::vector<torch::Tensor> params = actor->parameters(); //@
  for (auto& p : critic->parameters()) params.push_back(p); //+
  torch::optim::Adam opt(params, torch::optim::AdamOptions(3e-3)); //@

  for (int episode = 0; episode < 6; ++episode) {
    auto states = torch::randn({16, 4});
    auto rewards = torch::rand({16});
    auto logp = actor->forward(states);
    auto actions = logp.exp().multinomial(1);
    auto value = critic->forward(states);
    auto advantage = rewards - value;
    auto policy_loss = -(logp.gather(1, actions).squeeze(1) * advantage.detach()).mean();
    auto value_loss = advantage.pow(2).mean();
    opt.zero_grad();
    (policy_loss + 0.5 * value_loss).backward();
    opt.step();
    std::cout << "ep " << episode << " R=" << rewards.mean().item<float>() << '\n';
  }
  //= critic
}
