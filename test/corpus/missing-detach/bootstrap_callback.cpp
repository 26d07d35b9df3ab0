// missing-detach, wrong: the bootstrapped target is computed with the network that is trained, and not detached.
#include <torch/torch.h>
#include <deque>
#include <functional>
#include <iostream>

struct Transition {
  torch::Tensor state, next;
  float reward;
  bool done;
};

struct CriticImpl : torch::nn::Module {
  CriticImpl() {
    net = register_module("net", torch::nn::Sequential(torch::nn::Linear(3, 24), torch::nn::ReLU(), torch::nn::Linear(24, 1)));
  }
  torch::Tensor forward(const torch::Tensor& s) { return net->forward(s).squeeze(-1); }
  torch::nn::Sequential net{nullptr};
};
TORCH_MODULE(Critic);

torch::Tensor td_loss(const std::deque<Transition>& memory, const std::function<torch::Tensor(const torch::Tensor&)>& value, double gamma) {
  std::vector<torch::Tensor> s, n;
  std::vector<float> r, mask;
  for (const Transition& t : memory) {
    s.push_back(t.state);
    n.push_back(t.next);
    r.push_back(t.reward);
    mask.push_back(t.done ? 0.f : 1.f);
  }
  auto target = torch::tensor(r) + gamma * torch::tensor(mask) * value(torch::stack(n)); //-@
  auto target = torch::tensor(r) + gamma * torch::tensor(mask) * value(torch::stack(n)).detach(); //+
  return torch::mse_loss(value(torch::stack(s)), target); //@
}

int main() {
  torch::manual_seed(16);
  Critic critic;
  torch::optim::Adam opt(critic->parameters(), 1e-3);
  std::deque<Transition> memory;
  auto state = torch::randn({3});
  for (int i = 0; i < 20; ++i) {
    auto next = state * 0.9 + 0.1 * torch::randn({3});
    memory.push_back({state, next, next[0].item<float>(), i % 7 == 6});
    state = next;
    if (memory.size() > 16) memory.pop_front();
  }
  for (int update = 0; update < 5; ++update) {
    auto loss = td_loss(memory, [&](const torch::Tensor& x) { return critic->forward(x); }, 0.95);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "td " << loss.item<float>() << '\n';
  }
  //= critic
}
