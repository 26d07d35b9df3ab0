// clean: gradients clipped by hand between backward and step, by norm and by value.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
static void clip(const std::vector<torch::Tensor>& ps, double limit) {
  torch::NoGradGuard g;
  double s = 0;
  for (auto& p : ps) if (p.grad().defined()) s += std::pow(p.grad().norm().item<double>(), 2);
  double n = std::sqrt(s);
  if (n > limit) for (auto& p : ps) if (p.grad().defined()) p.grad().mul_(limit / n);
  for (auto& p : ps) if (p.grad().defined()) p.grad().clamp_(-limit, limit);
}
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(4, 8), torch::nn::ELU(), torch::nn::Linear(8, 1));
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({8, 4});
    auto loss = torch::mse_loss(net->forward(x), x.prod(1, true));
    opt.zero_grad(); loss.backward(); clip(net->parameters(), 0.5); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
