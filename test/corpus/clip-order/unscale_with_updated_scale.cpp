// clip-order, wrong: the scale is grown before the gradients are divided by it.
#include <torch/torch.h>
#include <iostream>

class DynamicScaler {
 public:
  torch::Tensor scale(torch::Tensor loss) { return loss * scale_; }
  void update() {
    if (++good_ % 2 == 0) scale_ *= 2;
  }
  void unscale_(torch::nn::Module& m) {
    for (auto& p : m.parameters())
      if (p.grad().defined()) p.mutable_grad().div_(scale_);
  }
 private:
  double scale_ = 128;
  int good_ = 0;
};

struct Net : torch::nn::Module {
  Net() { a = register_module("a", torch::nn::Linear(4, 8)); b = register_module("b", torch::nn::Linear(8, 1)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  DynamicScaler scaler;
  torch::optim::SGD opt(net.parameters(), 0.05);
  auto x = torch::randn({16, 4}), y = torch::randn({16, 1});
  for (int i = 0; i < 6; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    scaler.scale(loss).backward();
    scaler.update(); //-@
    scaler.unscale_(net); //@
    opt.step();
    scaler.update(); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
