// missing-detach, wrong: the advantage is not detached, so the policy loss trains the critic.
#include <torch/torch.h>
#include <iostream>

struct ACImpl : torch::nn::Module {
  ACImpl() {
    actor = register_module("actor", torch::nn::Linear(4, 2));
    critic = register_module("critic", torch::nn::Linear(4, 1));
  }
  torch::nn::Linear actor{nullptr}, critic{nullptr};
};
TORCH_MODULE(AC);

int main() {
  torch::manual_seed(0);
  AC ac;
  torch::optim::Adam opt(ac->parameters(), 1e-2);
  for (int e = 0; e < 3; ++e) {
    auto s = torch::randn({12, 4}), returns = torch::randn({12, 1});
    auto logp = torch::log_softmax(ac->actor(s), 1);
    auto act = torch::randint(0, 2, {12, 1});
    auto adv = returns - ac->critic(s);
    auto policy_loss = -(logp.gather(1, act) * adv).mean(); //-@
    auto policy_loss = -(logp.gather(1, act) * adv.detach()).mean(); //+
    auto value_loss = adv.square().mean();
    opt.zero_grad();
    (policy_loss + value_loss).backward();
    opt.step();
    std::cout << policy_loss.item<float>() << "\n";
  }
  //= ac
}
