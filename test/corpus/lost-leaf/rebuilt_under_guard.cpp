// lost-leaf, undefined: the weight is rebuilt under no-grad by an assignment, so it is a new tensor without requires_grad.
#include <torch/torch.h>
#include <iostream>

struct Lin {
  Lin(int i, int o) : w(torch::randn({o, i}, torch::requires_grad())), b(torch::zeros({o}, torch::requires_grad())) {}
  torch::Tensor operator()(torch::Tensor x) { return x.mm(w.t()) + b; }
  torch::Tensor w, b;
};

int main() {
  torch::manual_seed(0);
  Lin lin(3, 1);
  auto x = torch::randn({20, 3}), y = torch::randn({20, 1});
  for (int i = 0; i < 3; ++i) {
    auto loss = torch::mse_loss(lin(x), y);
    loss.backward();
    //= lin.w, lin.b
    torch::NoGradGuard g;
    if (lin.w.grad().defined()) {
      lin.w = lin.w - 0.1 * lin.w.grad(); //-@
      lin.w -= 0.1 * lin.w.grad(); //+
      if (lin.w.grad().defined()) lin.w.mutable_grad().zero_();
    }
    lin.b -= 0.1 * lin.b.grad();
    lin.b.mutable_grad().zero_();
    std::cout << loss.item<float>() << "\n";
  }
}
