// lost-leaf, undefined|stale: the parameter is scaled after requires_grad, so what is kept is no leaf.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  auto x = torch::randn({100, 3});
  auto y = x.matmul(torch::tensor({{1.5}, {-2.0}, {0.5}})) + 0.3;
  auto w = torch::randn({3, 1}, torch::requires_grad()) * 0.01; //-@
  auto w = (torch::randn({3, 1}) * 0.01).requires_grad_(); //+
  auto b = torch::zeros({1}, torch::requires_grad());
  const double lr = 0.1;
  for (int i = 0; i < 3; i++) {
    auto loss = (x.matmul(w) + b - y).pow(2).mean();
    loss.backward({}, /*retain_graph=*/true);
    //= w
    torch::NoGradGuard no_grad;
    if (w.grad().defined()) w -= lr * w.grad();
    b -= lr * b.grad();
    if (w.grad().defined()) w.mutable_grad().zero_();
    b.mutable_grad().zero_();
    std::cout << i << " " << loss.item<float>() << "\n";
  }
}
