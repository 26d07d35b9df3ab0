// missing-detach, wrong: the actor's loss is weighted by an advantage that still hangs on the critic.
#include <torch/torch.h>
#include <iostream>
#include <tuple>

struct AgentImpl : torch::nn::Module {
  AgentImpl() : trunk(6, 24), pi(24, 3), v(24, 1) {
    register_module("trunk", trunk);
    register_module("pi", pi);
    register_module("v", v);
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor s) {
    auto h = torch::tanh(trunk(s));
    return {torch::log_softmax(pi(h), -1), v(h).squeeze(-1)};
  }
  torch::nn::Linear trunk, pi, v;
};
TORCH_MODULE(Agent);

int main() {
  torch::manual_seed(8);
  Agent agent;
  torch::optim::RMSprop opt(agent->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto states = torch::randn({20, 6}), returns = torch::randn({20});
    auto [logits, values] = agent(states);
    auto actions = torch::randint(0, 3, {20, 1});
    auto advantage = returns - values;
    auto chosen = logits.gather(-1, actions).squeeze(-1);
    auto actor_loss = -(advantage * chosen).mean(); //-@
    auto actor_loss = -(advantage.detach() * chosen).mean(); //+
    auto critic_loss = advantage.pow(2).mean();
    auto loss = actor_loss + 0.5 * critic_loss;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= agent
}
