// zero-grad, stale: a training loop written by hand updates under a guard but never resets the gradients.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  auto x = torch::linspace(-3, 3, 200).unsqueeze(1);
  auto y = torch::sin(x);
  auto a = torch::randn({1}, torch::requires_grad());
  auto b = torch::randn({1}, torch::requires_grad());
  auto c = torch::randn({1}, torch::requires_grad());
  const double lr = 1e-3;
  for (int t = 0; t < 20; ++t) {
    auto y_pred = a + b * x + c * x.pow(3);
    auto loss = (y_pred - y).pow(2).mean();
    loss.backward(); //@
    {
      torch::NoGradGuard no_grad;
      a -= lr * a.grad(); //@
      b -= lr * b.grad();
      c -= lr * c.grad();
      a.mutable_grad().zero_(); //+
      b.mutable_grad().zero_(); //+
      c.mutable_grad().zero_(); //+
    }
    if (t % 5 == 0) std::cout << t << ' ' << loss.item<double>() << '\n';
  }
  //= a, b, c
}
