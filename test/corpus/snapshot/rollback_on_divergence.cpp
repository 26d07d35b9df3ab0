// snapshot, stale: the weights to fall back to when the loss explodes are the weights themselves.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct Weights { torch::Tensor w, b; };

int main() {
  torch::manual_seed(0);
  auto w = torch::randn({4, 1}).requires_grad_(), b = torch::zeros({1}).requires_grad_();
  torch::optim::SGD opt(std::vector<torch::Tensor>{w, b}, 5.0);
  Weights safe{w, b}; //-@
  Weights safe{w.detach().clone(), b.detach().clone()}; //+
  auto x = torch::randn({32, 4}), y = x.mm(torch::ones({4, 1}));
  double last = 1e30;
  for (int i = 0; i < 5; ++i) {
    auto loss = (x.mm(w) + b - y).square().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    double now = (x.mm(w) + b - y).square().mean().item<double>();
    if (now > last) {
      torch::NoGradGuard guard;
      w.copy_(safe.w);
      b.copy_(safe.b);
      break;
    }
    last = now;
  }
  std::cout << w << b << "\n";
  //= w, b
}
