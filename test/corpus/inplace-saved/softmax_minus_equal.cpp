// inplace-saved, throws: the policy is mixed with noise in place although softmax saved it.
#include <torch/torch.h>
#include <iostream>
#include <deque>

struct Policy : torch::nn::Module {
  Policy() {
    body = register_module("body", torch::nn::Linear(6, 24));
    head = register_module("head", torch::nn::Linear(24, 3));
  }
  torch::Tensor forward(torch::Tensor s) {
    return torch::softmax(head(torch::relu(body(s))), /*dim=*/-1);
  }
  torch::nn::Linear body{nullptr}, head{nullptr};
};

int main() {
  torch::manual_seed(9);
  Policy policy;
  torch::optim::Adam optimizer(policy.parameters(), 1e-3);
  std::deque<double> history;
  for (int episode = 0; episode < 4; ++episode) {
    auto state = torch::randn({8, 6});
    auto probs = policy.forward(state);
    auto entropy = -(probs * probs.log()).sum(-1).mean();
    probs *= 0.9; //-@
    probs += 0.1 / 3; //-@
    probs = probs * 0.9 + 0.1 / 3; //+
    auto action = probs.multinomial(1);
    auto reward = torch::rand({8, 1});
    auto loss = -(probs.gather(1, action).log() * reward).mean() - 0.01 * entropy;
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    history.push_back(loss.item<double>());
    if (history.size() > 3) history.pop_front();
  }
  std::cout << history.back() << "\n";
  //= policy
}
