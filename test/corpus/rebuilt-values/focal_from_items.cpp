// rebuilt-values, undefined: the per-class losses are collected with item() and averaged.
#include <torch/torch.h>
#include <iostream>
torch::Tensor per_class(const torch::Tensor& logits, const torch::Tensor& y, int classes) {
  auto ce = torch::nn::functional::cross_entropy(logits, y, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  double total = 0; //-
  auto total = torch::zeros({}); //+
  for (int c = 0; c < classes; ++c) {
    auto pick = ce * y.eq(c).to(torch::kFloat);
    total += pick.mean().item<double>(); //-@
    total = total + pick.mean(); //+
  }
  return torch::full({}, total, torch::requires_grad()); //-@
  return total; //+
}
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(4, 3);
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 2; ++i) {
    auto loss = per_class(net(torch::randn({9, 4})), torch::randint(0, 3, {9}), 3);
    opt.zero_grad();
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
