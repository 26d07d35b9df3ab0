// lost-write, stale: the update goes into the structured binding's copies of the weights.
#include <torch/torch.h>
#include <iostream>
#include <utility>
int main() {
  torch::manual_seed(0);
  std::vector<std::pair<torch::Tensor, double>> groups;
  groups.emplace_back(torch::randn({3, 1}).requires_grad_(), 0.1);
  groups.emplace_back(torch::zeros({1}).requires_grad_(), 0.2);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({6, 3});
    auto loss = (x.mm(groups[0].first) + groups[1].first - 1).pow(2).mean();
    loss.backward();
    torch::NoGradGuard guard;
    for (auto [w, lr] : groups) {
      w = w - lr * w.grad(); //-@
      w -= lr * w.grad(); //+
    }
    for (auto& g : groups) g.first.grad().zero_();
    std::cout << loss.item<float>() << "\n";
  }
  //= groups[0].first
}
