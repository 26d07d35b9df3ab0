// grad-mode, throws: the guard of the target computation lives until the end of the function.
#include <torch/torch.h>
#include <iostream>
#include <vector>
#include <algorithm>
#include <random>

struct Transition { torch::Tensor state, action, reward, next; };

struct QNet : torch::nn::Module {
  QNet() { f1 = register_module("f1", torch::nn::Linear(3, 32)); f2 = register_module("f2", torch::nn::Linear(32, 2)); }
  torch::Tensor forward(torch::Tensor x) { return f2(torch::relu(f1(x))); }
  torch::nn::Linear f1{nullptr}, f2{nullptr};
};

class Agent {
 public:
  Agent() : opt(net.parameters(), 1e-3) {}
  void remember(Transition t) { memory.push_back(std::move(t)); }
  double learn() {
    std::vector<torch::Tensor> s, a, r, n;
    for (const auto& t : memory) {
      s.push_back(t.state);
      a.push_back(t.action);
      r.push_back(t.reward);
      n.push_back(t.next);
    }
    auto states = torch::stack(s), actions = torch::stack(a), rewards = torch::stack(r), nexts = torch::stack(n);
    torch::NoGradGuard no_grad; //-@
    auto target = rewards + 0.9 * std::get<0>(net.forward(nexts).max(1, true)); //-
    auto target = rewards + 0.9 * std::get<0>(net.forward(nexts).detach().max(1, true)); //+
    auto q = net.forward(states).gather(1, actions);
    auto loss = torch::smooth_l1_loss(q, target);
    opt.zero_grad();
    loss.backward();
    opt.step();
    return loss.item<double>();
  }
  QNet net;
  torch::optim::Adam opt;
  std::vector<Transition> memory;
};

int main() {
  torch::manual_seed(8);
  Agent agent;
  for (int i = 0; i < 16; ++i)
    agent.remember({torch::randn({3}), torch::randint(0, 2, {1}), torch::rand({1}), torch::randn({3})});
  for (int i = 0; i < 3; ++i) std::cout << agent.learn() << "\n";
  //= agent.net
}
