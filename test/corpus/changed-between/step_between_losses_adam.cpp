// changed-between, throws: the critic is stepped before the actor's loss walks through it.
#include <torch/torch.h>
#include <iostream>

struct Critic : torch::nn::Module {
  Critic() { l1 = register_module("l1", torch::nn::Linear(5, 16)); l2 = register_module("l2", torch::nn::Linear(16, 1)); }
  torch::Tensor forward(torch::Tensor s, torch::Tensor a) { return l2(torch::relu(l1(torch::cat({s, a}, 1)))); }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};
struct Actor : torch::nn::Module {
  Actor() { l1 = register_module("l1", torch::nn::Linear(4, 16)); l2 = register_module("l2", torch::nn::Linear(16, 1)); }
  torch::Tensor forward(torch::Tensor s) { return torch::tanh(l2(torch::relu(l1(s)))); }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};

int main() {
  torch::manual_seed(0);
  Actor actor;
  Critic critic;
  torch::optim::Adam actor_opt(actor.parameters(), 1e-3), critic_opt(critic.parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({8, 4}), a = torch::rand({8, 1}), target = torch::randn({8, 1});
    auto actor_loss = -critic.forward(s, actor.forward(s)).mean(); //-
    auto critic_loss = torch::mse_loss(critic.forward(s, a), target);
    critic_opt.zero_grad();
    critic_loss.backward();
    critic_opt.step(); //@
    auto actor_loss = -critic.forward(s, actor.forward(s)).mean(); //+
    actor_opt.zero_grad();
    actor_loss.backward();
    actor_opt.step();
    std::cout << actor_loss.item<float>() << " " << critic_loss.item<float>() << "\n";
  }
  //= actor
}
