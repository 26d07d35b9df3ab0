// lost-leaf, throws: the update assigns a new tensor under the guard, which no longer requires grad in the next round.
#include <torch/torch.h>
#include <iostream>
#include <functional>

struct Weights {
  torch::Tensor W1, b1, W2, b2;
  void each(const std::function<void(torch::Tensor&)>& f) {
    f(W1);
    f(b1);
    f(W2);
    f(b2);
  }
};

Weights initial() {
  auto opts = torch::TensorOptions().dtype(torch::kFloat).requires_grad(true);
  return {torch::normal(0, 0.3, {2, 12}).set_requires_grad(true), torch::zeros({12}, opts),
          torch::normal(0, 0.3, {12, 1}).set_requires_grad(true), torch::zeros({1}, opts)};
}

torch::Tensor net(const Weights& w, const torch::Tensor& x) {
  return torch::mm(torch::sigmoid(torch::mm(x, w.W1) + w.b1), w.W2) + w.b2;
}

int main() {
  torch::manual_seed(0);
  // XOR
  auto x = torch::tensor({{0., 0.}, {0., 1.}, {1., 0.}, {1., 1.}}, torch::kFloat);
  auto y = torch::tensor({{0.}, {1.}, {1.}, {0.}}, torch::kFloat);
  Weights w = initial();
  const float lr = 0.5f;
  for (int i = 0; i < 10; ++i) {
    auto loss = (net(w, x) - y).pow(2).mean();
    loss.backward();
    torch::NoGradGuard guard;
    w.each([lr](torch::Tensor& p) {
      auto g = p.grad();
      p = p - lr * g; //-@
      p.sub_(lr * g); //+
      p.mutable_grad() = torch::Tensor(); //+
    });
    std::cout << i << " " << loss.item<float>() << "\n";
  }
  //= w.W1, w.b2
}
