// clip-order, wrong: the critic's gradients are clipped twice, the actor's never.
#include <torch/torch.h>
#include <iostream>

struct MLP : torch::nn::Module {
  MLP(int i, int o) { a = register_module("a", torch::nn::Linear(i, 16)); b = register_module("b", torch::nn::Linear(16, o)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::tanh(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  MLP actor(4, 2), critic(4, 1);
  torch::optim::SGD actor_opt(actor.parameters(), 0.05), critic_opt(critic.parameters(), 0.05);
  for (int i = 0; i < 4; ++i) {
    auto s = torch::randn({16, 4}), R = torch::randn({16, 1}) * 30;
    auto v = critic.forward(s);
    auto critic_loss = torch::mse_loss(v, R);
    critic_opt.zero_grad();
    critic_loss.backward();
    torch::nn::utils::clip_grad_norm_(critic.parameters(), 0.5);
    critic_opt.step();

    auto logp = torch::log_softmax(actor.forward(s), 1).select(1, 0);
    auto actor_loss = -(logp * (R - v).detach().squeeze(1)).mean();
    actor_opt.zero_grad();
    actor_loss.backward();
    torch::nn::utils::clip_grad_norm_(critic.parameters(), 0.5); //-@
    torch::nn::utils::clip_grad_norm_(actor.parameters(), 0.5); //+
    actor_opt.step(); //@
    std::cout << actor_loss.item<float>() << "\n";
  }
  //= actor
}
