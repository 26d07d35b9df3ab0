// clean: micro batches with a loss scale of one's own, unscaled, checked, clipped and stepped in order; skipped steps are cleared.
#include <torch/torch.h>
#include <iostream>

class GradScaler {
 public:
  torch::Tensor scale(const torch::Tensor& loss) const { return loss * scale_; }
  bool unscale(torch::optim::Optimizer& opt) {
    torch::NoGradGuard guard;
    bool finite = true;
    for (auto& group : opt.param_groups())
      for (auto& p : group.params()) {
        if (!p.grad().defined()) continue;
        p.mutable_grad().mul_(1.0 / scale_);
        finite = finite && torch::isfinite(p.grad()).all().item<bool>();
      }
    return finite;
  }
  void update(bool finite) {
    if (!finite) scale_ *= 0.5;
    else if (++streak_ % 100 == 0) scale_ *= 2;
  }

 private:
  double scale_ = 4096;
  int streak_ = 0;
};

int main() {
  torch::manual_seed(9);
  torch::nn::Sequential net(torch::nn::Linear(10, 30), torch::nn::GELU(), torch::nn::Linear(30, 2));
  torch::optim::AdamW opt(net->parameters(), torch::optim::AdamWOptions(1e-3));
  GradScaler scaler;
  const int64_t accumulate = 4;
  auto x = torch::randn({64, 10});
  auto y = torch::stack({x.sum(1), x.prod(1)}, 1);
  double running = 0;
  for (int64_t i = 0; i < 16; ++i) {
    auto loss = torch::smooth_l1_loss(net->forward(x.narrow(0, 4 * i, 4)), y.narrow(0, 4 * i, 4)) / accumulate;
    scaler.scale(loss).backward();
    running += loss.item<double>();
    if ((i + 1) % accumulate == 0) {
      bool finite = scaler.unscale(opt);
      if (finite) {
        torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0);
        opt.step();
      }
      opt.zero_grad();
      scaler.update(finite);
      std::cout << i << ' ' << running << '\n';
      running = 0;
    }
  }
}
