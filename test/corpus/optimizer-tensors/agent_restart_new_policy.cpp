// optimizer-tensors, stale: restart() gives the agent a new policy, its optimizer still steps the old one.
#include <torch/torch.h>
#include <iostream>
#include <memory>

struct PolicyNet : torch::nn::Module {
  PolicyNet(int64_t obs, int64_t act) {
    body = register_module("body", torch::nn::Sequential(torch::nn::Linear(obs, 24), torch::nn::Tanh()));
    logits = register_module("logits", torch::nn::Linear(24, act));
  }
  torch::Tensor forward(torch::Tensor x) { return torch::log_softmax(logits->forward(body->forward(x)), -1); }
  torch::nn::Sequential body{nullptr};
  torch::nn::Linear logits{nullptr};
};

class Agent {
 public:
  Agent(int64_t obs, int64_t act) : obs_(obs), act_(act), policy_(std::make_shared<PolicyNet>(obs, act)) {
    optimizer_ = std::make_unique<torch::optim::RMSprop>(policy_->parameters(), torch::optim::RMSpropOptions(3e-3)); //@
  }

  void restart() {
    policy_ = std::make_shared<PolicyNet>(obs_, act_); //@
    optimizer_ = std::make_unique<torch::optim::RMSprop>(policy_->parameters(), torch::optim::RMSpropOptions(3e-3)); //+
    baseline_ = 0;
  }

  double learn(int episodes) {
    double mean_return = 0;
    for (int e = 0; e < episodes; ++e) {
      auto states = torch::randn({16, obs_});
      auto log_probs = policy_->forward(states);
      auto actions = log_probs.detach().exp().multinomial(1);
      auto rewards = (actions.squeeze(1) == (states.select(1, 0) > 0).to(torch::kLong)).to(torch::kFloat);
      auto loss = -(log_probs.gather(1, actions).squeeze(1) * (rewards - baseline_)).mean();
      optimizer_->zero_grad();
      loss.backward();
      optimizer_->step();
      baseline_ = 0.9 * baseline_ + 0.1 * rewards.mean().item<double>();
      mean_return += rewards.mean().item<double>() / episodes;
    }
    return mean_return;
  }

  PolicyNet& policy() { return *policy_; }

 private:
  int64_t obs_, act_;
  std::shared_ptr<PolicyNet> policy_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  double baseline_ = 0;
};

int main() {
  torch::manual_seed(7);
  Agent agent(4, 2);
  std::cout << "first run " << agent.learn(5) << std::endl;
  agent.restart();
  std::cout << "second run " << agent.learn(5) << std::endl;
  //= agent.policy()
}
