// zero-grad, stale: updates by hand, and nothing clears the gradients.
#include <torch/torch.h>
#include <iostream>
struct Params { torch::Tensor w1, w2; };
int main() {
  torch::manual_seed(0);
  Params p{torch::randn({4, 6}).mul_(0.3).requires_grad_(), torch::randn({6, 1}).mul_(0.3).requires_grad_()};
  auto x = torch::randn({20, 4}), y = x.prod(1, true);
  for (int i = 0; i < 5; ++i) {
    auto loss = (torch::tanh(x.mm(p.w1)).mm(p.w2) - y).pow(2).mean();
    loss.backward(); //@
    torch::NoGradGuard g;
    for (auto* t : {&p.w1, &p.w2}) {
      *t -= 0.05 * t->grad(); //@
      t->mutable_grad().zero_(); //+
    }
    std::cout << loss.item<float>() << "\n";
  }
  //= p.w1, p.w2
}
