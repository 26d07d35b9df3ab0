// clean: a loss scaler by hand: unscale, check, clip, step, update, in this order.
#include <torch/torch.h>
#include <iostream>

class Scaler {
 public:
  torch::Tensor scale(const torch::Tensor& loss) const { return loss * scale_; }
  bool unscale(const std::vector<torch::Tensor>& params) {
    bool finite = true;
    for (const auto& p : params) {
      if (!p.grad().defined()) continue;
      p.grad().div_(scale_);
      finite = finite && torch::isfinite(p.grad()).all().item<bool>();
    }
    return finite;
  }
  void update(bool finite) {
    if (!finite) {
      scale_ *= 0.5f;
      good_ = 0;
    } else if (++good_ >= 100) {
      scale_ *= 2;
      good_ = 0;
    }
  }
 private:
  float scale_ = 65536.f;
  int good_ = 0;
};

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  torch::optim::SGD opt(net->parameters(), 0.1);
  Scaler scaler;
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({8, 4});
    auto y = torch::randint(0, 2, {8});
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net->forward(x), y);
    scaler.scale(loss).backward();
    bool finite = scaler.unscale(net->parameters());
    if (finite) {
      torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0);
      opt.step();
    }
    scaler.update(finite);
    std::cout << loss.item<float>() << "\n";
  }
}
