// clip-order, wrong: the helper clips what is still multiplied by the loss scale; the division comes after.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
#include <vector>

struct LossScale {
  double value = 1024.0;
  int good = 0;
  bool finite(const std::vector<torch::Tensor>& params) const {
    for (const auto& p : params)
      if (p.grad().defined() && !torch::isfinite(p.grad()).all().item<bool>()) return false;
    return true;
  }
  void divide(std::vector<torch::Tensor>& params) const {
    torch::NoGradGuard guard;
    for (auto& p : params)
      if (p.grad().defined()) p.mutable_grad().div_(value);
  }
  void update(bool ok) {
    if (!ok) { value = std::max(1.0, value / 2); good = 0; }
    else if (++good == 200) { value *= 2; good = 0; }
  }
};

static double limit(std::vector<torch::Tensor>& params, double most) {
  return torch::nn::utils::clip_grad_norm_(params, most); //@
}

int main() {
  torch::manual_seed(40);
  torch::nn::Sequential net(torch::nn::Linear(20, 40), torch::nn::ReLU(), torch::nn::Linear(40, 1));
  auto params = net->parameters();
  torch::optim::SGD opt(params, 0.05);
  LossScale scale;
  auto x = torch::randn({32, 20}), y = torch::randn({32, 1}) * 4;
  for (int step = 0; step < 6; ++step) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net->forward(x), y);
    (loss * scale.value).backward();
    bool ok = scale.finite(params);
    if (ok) {
      scale.divide(params); //+
      limit(params, 1.0); //@
      scale.divide(params); //-
      opt.step();
    }
    scale.update(ok);
    std::cout << step << ": " << loss.item<float>() << " scale " << scale.value << std::endl;
  }
  //= net
}
