// clip-order, wrong: the loss is scaled but the gradients are never divided by the scale.
#include <torch/torch.h>
#include <iostream>

struct LossScaler {
  float scale = 256.f;
  torch::Tensor scale_loss(const torch::Tensor& l) const { return l * scale; }
  void unscale(const std::vector<torch::Tensor>& params) const {
    for (auto& p : params)
      if (p.grad().defined()) p.grad().mul_(1.f / scale);
  }
};

int main() {
  torch::manual_seed(0);
  torch::nn::Linear model(6, 2);
  torch::optim::SGD opt(model->parameters(), 1e-3);
  LossScaler scaler;
  auto x = torch::randn({8, 6}), y = torch::randn({8, 2});
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(model(x), y);
    scaler.scale_loss(loss).backward(); //@
    scaler.unscale(model->parameters()); //+
    opt.step(); //@
    std::cout << loss.item<float>() << "\n";
  }
  //= model
}
