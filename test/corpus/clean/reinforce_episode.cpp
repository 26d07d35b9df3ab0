// clean: REINFORCE; log-probabilities of an episode are kept with their graph and used once.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Policy : torch::nn::Module {
  Policy() : fc1(register_module("fc1", torch::nn::Linear(4, 16))), fc2(register_module("fc2", torch::nn::Linear(16, 2))) {}
  torch::Tensor forward(torch::Tensor x) { return torch::softmax(fc2(torch::relu(fc1(x))), -1); }
  torch::nn::Linear fc1, fc2;
  std::vector<torch::Tensor> saved_log_probs;
  std::vector<double> rewards;
};

void finish_episode(Policy& policy, torch::optim::Optimizer& opt) {
  double R = 0;
  std::vector<double> returns;
  for (auto it = policy.rewards.rbegin(); it != policy.rewards.rend(); ++it) {
    R = *it + 0.99 * R;
    returns.insert(returns.begin(), R);
  }
  auto G = torch::tensor(returns, torch::kFloat);
  G = (G - G.mean()) / (G.std() + 1e-8);
  std::vector<torch::Tensor> loss;
  for (size_t i = 0; i < policy.saved_log_probs.size(); ++i)
    loss.push_back(-policy.saved_log_probs[i] * G[static_cast<int64_t>(i)]);
  opt.zero_grad();
  auto total = torch::stack(loss).sum();
  total.backward();
  opt.step();
  policy.saved_log_probs.clear();
  policy.rewards.clear();
}

int main() {
  torch::manual_seed(0);
  Policy policy;
  torch::optim::Adam opt(policy.parameters(), 1e-2);
  for (int episode = 0; episode < 3; ++episode) {
    auto s = torch::randn({4});
    for (int t = 0; t < 6; ++t) {
      auto p = policy.forward(s);
      auto a = p.multinomial(1).item<int64_t>();
      policy.saved_log_probs.push_back(p[a].log());
      policy.rewards.push_back(a == 0 ? 1.0 : 0.0);
      s = s + 0.1 * torch::randn({4});
    }
    finish_episode(policy, opt);
  }
  std::cout << policy.fc1->weight.norm().item<float>() << "\n";
}
