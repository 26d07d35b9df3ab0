// missing-detach, throws: the old log-probabilities of PPO keep their graph, the second epoch walks it again.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Policy : torch::nn::Module {
  Policy() { a = register_module("a", torch::nn::Linear(4, 16)); b = register_module("b", torch::nn::Linear(16, 2)); }
  torch::Tensor forward(torch::Tensor s) { return torch::log_softmax(b(torch::tanh(a(s))), -1); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

struct Rollout {
  std::vector<torch::Tensor> states, actions, logprobs, rewards;
};

int main() {
  torch::manual_seed(0);
  Policy pi;
  torch::optim::Adam opt(pi.parameters(), 1e-3);
  Rollout buf;
  for (int t = 0; t < 8; ++t) {
    auto s = torch::randn({4});
    auto lp = pi.forward(s);
    auto act = lp.exp().multinomial(1);
    buf.states.push_back(s);
    buf.actions.push_back(act);
    buf.logprobs.push_back(lp.gather(0, act)); //-@
    buf.logprobs.push_back(lp.gather(0, act).detach()); //+
    buf.rewards.push_back(torch::rand({1}));
  }
  auto S = torch::stack(buf.states), A = torch::stack(buf.actions);
  auto old = torch::stack(buf.logprobs), R = torch::stack(buf.rewards);
  auto adv = (R - R.mean()) / (R.std() + 1e-6);
  for (int epoch = 0; epoch < 3; ++epoch) {
    auto ratio = (pi.forward(S).gather(1, A) - old).exp();
    auto loss = -torch::min(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean();
    opt.zero_grad();
    loss.backward(); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= pi
}
