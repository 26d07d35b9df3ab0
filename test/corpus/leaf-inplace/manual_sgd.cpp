// leaf-inplace, throws: the update is written in place with gradients on.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  auto N = 64, D_in = 10, H = 20, D_out = 2;
  auto x = torch::randn({N, D_in}), y = torch::randn({N, D_out});
  auto w1 = torch::randn({D_in, H}, torch::TensorOptions().requires_grad(true));
  auto w2 = torch::randn({H, D_out}, torch::TensorOptions().requires_grad(true));
  double learning_rate = 1e-6;
  for (int t = 0; t < 3; ++t) {
    auto y_pred = x.mm(w1).clamp_min(0).mm(w2);
    auto loss = (y_pred - y).pow(2).sum();
    std::cout << t << " " << loss.item<float>() << "\n";
    loss.backward();
    torch::NoGradGuard no_grad; //+
    w1 -= learning_rate * w1.grad(); //@
    w2 -= learning_rate * w2.grad(); //@
    w1.mutable_grad().zero_();
    w2.mutable_grad().zero_();
  }
  //= w1, w2
}
