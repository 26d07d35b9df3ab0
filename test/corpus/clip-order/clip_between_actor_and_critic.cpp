// clip-order, wrong: the norm is clipped after the actor's backward, the critic's is added unclipped.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() : trunk(register_module("trunk", torch::nn::Linear(5, 32))),
          actor(register_module("actor", torch::nn::Linear(32, 3))),
          critic(register_module("critic", torch::nn::Linear(32, 1))) {}
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& s) {
    auto h = torch::relu(trunk(s));
    return {torch::softmax(actor(h), 1), critic(h).squeeze(1)};
  }
  torch::nn::Linear trunk, actor, critic;
};

class A2C {
 public:
  A2C(std::shared_ptr<Net> net, double lr) : net_(std::move(net)), optimizer_(net_->parameters(), lr) {}

  void learn(const torch::Tensor& states, const torch::Tensor& actions, const torch::Tensor& returns) {
    auto [probs, values] = net_->forward(states);
    auto advantage = returns - values;
    auto logp = torch::log(probs.gather(1, actions.unsqueeze(1)).squeeze(1) + 1e-8);
    auto actor_loss = -(logp * advantage.detach()).mean();
    auto critic_loss = advantage.pow(2).mean();

    optimizer_.zero_grad();
    actor_loss.backward({}, /*retain_graph=*/true);
    clip(); //-@
    critic_loss.backward();
    clip(); //+
    optimizer_.step();
    std::cout << actor_loss.item<float>() << " " << critic_loss.item<float>() << "\n";
  }

 private:
  void clip() { torch::nn::utils::clip_grad_norm_(net_->parameters(), 0.5); } //@

  std::shared_ptr<Net> net_;
  torch::optim::RMSprop optimizer_;
};

int main() {
  torch::manual_seed(10);
  auto net = std::make_shared<Net>();
  A2C a2c(net, 7e-4);
  for (int i = 0; i < 4; ++i) {
    auto states = torch::randn({20, 5});
    auto actions = torch::randint(0, 3, {20});
    auto returns = 5 * states.select(1, 2) + actions.to(torch::kFloat);
    a2c.learn(states, actions, returns);
  }
  //= net
}
