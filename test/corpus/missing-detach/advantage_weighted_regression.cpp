// missing-detach, wrong: the weights of the advantage-weighted policy loss still hang on the critic.
#include <torch/torch.h>
#include <iostream>

struct ActorCritic : torch::nn::Module {
  torch::nn::Linear body{5, 24}, policy{24, 3}, value{24, 1};
  ActorCritic() {
    register_module("body", body);
    register_module("policy", policy);
    register_module("value", value);
  }
};

struct Batch {
  torch::Tensor obs, act, ret;
};

torch::Tensor policy_loss(ActorCritic& net, const Batch& b, const torch::Tensor& advantage) {
  auto logp = torch::log_softmax(net.policy(torch::relu(net.body(b.obs))), 1).gather(1, b.act.unsqueeze(1)).squeeze(1);
  return -(logp * advantage).mean(); //@
}

int main() {
  torch::manual_seed(311);
  ActorCritic net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  for (int i = 0; i < 5; ++i) {
    Batch b{torch::randn({32, 5}), torch::randint(0, 3, {32}), torch::randn({32})};
    b.ret = b.obs.select(1, 0) + 0.1 * b.ret;
    auto v = net.value(torch::relu(net.body(b.obs))).squeeze(1);
    auto advantage = b.ret - v; //-@
    auto advantage = b.ret - v.detach(); //+
    auto loss = policy_loss(net, b, advantage) + 0.5 * torch::smooth_l1_loss(v, b.ret);
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(net.parameters(), 40.0);
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
