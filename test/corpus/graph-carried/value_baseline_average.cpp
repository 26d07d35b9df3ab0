// graph-carried, throws: the running baseline is an average of value predictions with their graphs.
#include <torch/torch.h>
#include <iostream>

class ReinforceAgent {
 public:
  ReinforceAgent() : policy_(torch::nn::Linear(4, 32), torch::nn::Tanh(), torch::nn::Linear(32, 2)), value_(4, 1) {
    auto params = policy_->parameters();
    auto more = value_->parameters();
    params.insert(params.end(), more.begin(), more.end());
    optimizer_.reset(new torch::optim::Adam(params, torch::optim::AdamOptions(5e-3)));
    baseline_ = torch::zeros({});
  }

  void learn(const torch::Tensor& states, const torch::Tensor& actions, const torch::Tensor& returns) {
    auto values = value_->forward(states).squeeze(-1);
    baseline_ = 0.9 * baseline_ + 0.1 * values.mean(); //-@
    baseline_ = 0.9 * baseline_ + 0.1 * values.mean().detach(); //+
    auto logp = torch::log_softmax(policy_->forward(states), -1).gather(1, actions).squeeze(1);
    auto policyLoss = -(logp * (returns - baseline_)).mean();
    auto valueLoss = torch::mse_loss(values, returns);
    optimizer_->zero_grad();
    (policyLoss + 0.5 * valueLoss).backward();
    optimizer_->step();
  }
  double baseline() const { return baseline_.item<double>(); }

  torch::nn::Sequential policy_;
  torch::nn::Linear value_;

 private:
  std::unique_ptr<torch::optim::Adam> optimizer_;
  torch::Tensor baseline_;
};

int main() {
  torch::manual_seed(31);
  ReinforceAgent agent;
  for (int episode = 0; episode < 4; ++episode) {
    auto states = torch::randn({12, 4});
    auto actions = torch::randint(0, 2, {12, 1});
    auto returns = torch::linspace(1, 0, 12);
    agent.learn(states, actions, returns);
    std::cout << "episode " << episode << " baseline " << agent.baseline() << "\n";
  }
  //= agent.policy_, agent.value_
}
