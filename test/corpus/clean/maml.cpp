// clean: MAML with create_graph, fast weights start from the meta weights for every task.
#include <torch/torch.h>
#include <iostream>
#include <vector>

using Weights = std::vector<torch::Tensor>;

torch::Tensor forward(const torch::Tensor& x, const Weights& w) {
  auto h = torch::relu(torch::addmm(w[1], x, w[0]));
  return torch::addmm(w[3], h, w[2]);
}

Weights adapt(const Weights& w, const torch::Tensor& x, const torch::Tensor& y, double lr, int steps) {
  Weights fast = w;
  for (int s = 0; s < steps; ++s) {
    auto loss = torch::mse_loss(forward(x, fast), y);
    auto g = torch::autograd::grad({loss}, fast, {}, /*retain_graph=*/true, /*create_graph=*/true);
    Weights next;
    for (size_t i = 0; i < fast.size(); ++i) next.push_back(fast[i] - lr * g[i]);
    fast = std::move(next);
  }
  return fast;
}

int main() {
  torch::manual_seed(0);
  Weights w{torch::randn({1, 16}) * 0.5, torch::zeros({16}), torch::randn({16, 1}) * 0.25, torch::zeros({1})};
  for (auto& t : w) t.set_requires_grad(true);
  torch::optim::Adam opt(w, 1e-3);
  for (int it = 0; it < 3; ++it) {
    auto meta = torch::zeros({1});
    for (int task = 0; task < 2; ++task) {
      double phase = 0.5 * task;
      auto xs = torch::rand({10, 1}) * 4, xq = torch::rand({10, 1}) * 4;
      auto fast = adapt(w, xs, torch::sin(xs + phase), 0.01, 2);
      meta += torch::mse_loss(forward(xq, fast), torch::sin(xq + phase));
    }
    opt.zero_grad();
    meta.backward();
    opt.step();
    std::cout << meta.item<float>() << "\n";
  }
}
