// clip-order, wrong: the norm for clipping is taken from the scaled gradients, in a helper.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

static double total_norm(const std::vector<torch::Tensor>& ps) {
  double sum = 0;
  for (const auto& p : ps)
    if (p.grad().defined()) sum += std::pow(p.grad().norm().item<double>(), 2);
  return std::sqrt(sum);
}
static void rescale(const std::vector<torch::Tensor>& ps, double factor) {
  torch::NoGradGuard g;
  for (const auto& p : ps)
    if (p.grad().defined()) p.grad().mul_(factor);
}

int main() {
  torch::manual_seed(0);
  const double scale = 512, limit = 1.0;
  torch::nn::Linear net(8, 8);
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = net(torch::randn({4, 8})).pow(2).mean();
    (loss * scale).backward();
    auto params = net->parameters();
    rescale(params, 1 / scale); //+
    auto norm = total_norm(params);
    if (norm > limit) rescale(params, limit / norm); //@
    rescale(params, 1 / scale); //-@
    opt.step();
    std::cout << loss.item<double>() << "\n";
  }
  //= net
}
