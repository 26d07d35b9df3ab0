// clean: a DQN with a target network, soft updates under a guard and a replay memory.
#include <torch/torch.h>
#include <deque>
#include <iostream>
#include <random>

struct Experience { torch::Tensor s, a, r, s2, done; };

struct QNetImpl : torch::nn::Module {
  QNetImpl() : l1(4, 24), l2(24, 24), l3(24, 2) {
    register_module("l1", l1);
    register_module("l2", l2);
    register_module("l3", l3);
  }
  torch::Tensor forward(torch::Tensor x) { return l3(torch::relu(l2(torch::relu(l1(x))))); }
  torch::nn::Linear l1, l2, l3;
};
TORCH_MODULE(QNet);

class Agent {
 public:
  Agent() : opt(local->parameters(), torch::optim::AdamOptions(5e-4)) { hard_update(); }
  void hard_update() {
    torch::NoGradGuard guard;
    auto src = local->named_parameters();
    for (auto& p : target->named_parameters()) p.value().copy_(src[p.key()]);
  }
  void soft_update(double tau) {
    torch::NoGradGuard guard;
    auto src = local->parameters();
    auto dst = target->parameters();
    for (size_t i = 0; i < src.size(); ++i) dst[i].mul_(1 - tau).add_(src[i], tau);
  }
  int act(torch::Tensor s, double eps) {
    if (std::uniform_real_distribution<>(0, 1)(rng) < eps) return static_cast<int>(rng() % 2);
    local->eval();
    torch::NoGradGuard guard;
    int a = local->forward(s).argmax(-1).item<int>();
    local->train();
    return a;
  }
  void learn() {
    if (memory.size() < 8) return;
    std::vector<torch::Tensor> s, a, r, n, d;
    for (int i = 0; i < 8; ++i) {
      auto& e = memory[rng() % memory.size()];
      s.push_back(e.s); a.push_back(e.a); r.push_back(e.r); n.push_back(e.s2); d.push_back(e.done);
    }
    auto S = torch::stack(s), A = torch::stack(a), R = torch::stack(r), N = torch::stack(n), Dn = torch::stack(d);
    auto next = std::get<0>(target->forward(N).detach().max(1)).unsqueeze(1);
    auto expected = local->forward(S).gather(1, A);
    auto loss = torch::mse_loss(expected, R + 0.99 * next * (1 - Dn));
    opt.zero_grad();
    loss.backward();
    opt.step();
    soft_update(1e-3);
    last = loss.item<float>();
  }
  QNet local, target;
  torch::optim::Adam opt;
  std::deque<Experience> memory;
  std::mt19937 rng{0};
  float last = 0;
};

int main() {
  torch::manual_seed(0);
  Agent agent;
  auto s = torch::randn({4});
  for (int t = 0; t < 20; ++t) {
    int a = agent.act(s, 0.3);
    auto s2 = s + (a ? 0.1 : -0.1);
    agent.memory.push_back({s, torch::full({1}, a, torch::kLong), torch::full({1}, s2.sum().item<float>()), s2, torch::zeros({1})});
    if (agent.memory.size() > 100) agent.memory.pop_front();
    agent.learn();
    s = s2;
  }
  std::cout << agent.last << "\n";
}
