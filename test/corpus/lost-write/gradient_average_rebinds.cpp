// lost-write, wrong: the sum of the workers' gradients is averaged into the loop variable, not into the list.
#include <torch/torch.h>
#include <iostream>
#include <vector>

using Tensors = std::vector<torch::Tensor>;

Tensors make_weights() {
  Tensors w = {torch::randn({4, 10}) * 0.4, torch::zeros({10}), torch::randn({10, 1}) * 0.3};
  for (auto& t : w) t.set_requires_grad(true);
  return w;
}

torch::Tensor loss_of(const Tensors& w, const torch::Tensor& x, const torch::Tensor& y) {
  return (torch::relu(torch::addmm(w[1], x, w[0])).mm(w[2]) - y).pow(2).mean();
}

Tensors worker_gradients(const Tensors& w, int64_t n) {
  auto x = torch::randn({n, 4});
  auto y = x.abs().sum(1, true);
  return torch::autograd::grad({loss_of(w, x, y)}, w);
}

void average(Tensors& sums, int workers) {
  for (auto g : sums) g = g / workers; //-@
  for (auto& g : sums) g = g / workers; //+
}

int main() {
  torch::manual_seed(123);
  const int workers = 4;
  auto weights = make_weights();
  for (int round = 0; round < 5; ++round) {
    Tensors sums;
    for (const auto& w : weights) sums.push_back(torch::zeros_like(w));
    for (int k = 0; k < workers; ++k) {
      auto grads = worker_gradients(weights, 8);
      for (size_t i = 0; i < grads.size(); ++i) sums[i] += grads[i];
    }
    average(sums, workers);
    {
      torch::NoGradGuard no_grad;
      for (size_t i = 0; i < weights.size(); ++i) weights[i] -= 0.01 * sums[i];
    }
    std::cout << "round " << round << " |g| " << sums[0].norm().item<float>() << "\n";
  }
  //= weights
}
