// missing-detach, wrong: the lambda-returns that the critic is fitted to are made of its own values, graph included.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Critic : torch::nn::Module {
  Critic() {
    l1 = register_module("l1", torch::nn::Linear(4, 32));
    l2 = register_module("l2", torch::nn::Linear(32, 1));
  }
  torch::Tensor forward(torch::Tensor s) { return l2(torch::elu(l1(s))).squeeze(-1); }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};

struct Transition {
  torch::Tensor state, reward, done;
};

torch::Tensor lambda_returns(Critic& critic, const std::vector<Transition>& path, const torch::Tensor& last, double gamma, double lambda) {
  std::vector<torch::Tensor> returns(path.size());
  auto next = critic.forward(last); //-@
  auto next = critic.forward(last).detach(); //+
  auto g = next;
  for (int t = static_cast<int>(path.size()) - 1; t >= 0; --t) {
    g = path[t].reward + gamma * (1 - path[t].done) * ((1 - lambda) * next + lambda * g); //@
    returns[t] = g;
    next = critic.forward(path[t].state); //-
    next = critic.forward(path[t].state).detach(); //+
  }
  return torch::stack(returns);
}

int main() {
  torch::manual_seed(37);
  Critic critic;
  torch::optim::Adam opt(critic.parameters(), 3e-3);
  for (int iteration = 0; iteration < 4; ++iteration) {
    std::vector<Transition> path;
    auto s = torch::randn({8, 4});
    for (int t = 0; t < 5; ++t) {
      path.push_back({s, s.select(1, 0).tanh(), (torch::rand({8}) < 0.1).to(torch::kFloat)});
      s = s + 0.3 * torch::randn_like(s);
    }
    auto targets = lambda_returns(critic, path, s, 0.97, 0.95);
    std::vector<torch::Tensor> states;
    for (auto& step : path) states.push_back(step.state);
    auto values = critic.forward(torch::stack(states));
    auto loss = torch::mse_loss(values, targets); //@
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "value loss " << loss.item<float>() << "\n";
  }
  //= critic
}
