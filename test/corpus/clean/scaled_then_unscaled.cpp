// clean: a loss scale with unscale, check and clip in the right order, and a skipped step.
#include <torch/torch.h>
#include <iostream>
struct Scaler {
  double s = 1024; int good = 0;
  torch::Tensor up(torch::Tensor l) { return l * s; }
  bool down(const std::vector<torch::Tensor>& ps) {
    bool ok = true;
    for (auto& p : ps) { p.grad().div_(s); ok = ok && torch::isfinite(p.grad()).all().item<bool>(); }
    return ok;
  }
  void update(bool ok) { if (!ok) s /= 2; else if (++good % 3 == 0) s *= 2; }
};
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(5, 1);
  torch::optim::SGD opt(net->parameters(), 0.1);
  Scaler scaler;
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({6, 5});
    opt.zero_grad();
    auto loss = net(x).pow(2).mean();
    scaler.up(loss).backward();
    bool ok = scaler.down(net->parameters());
    if (ok) { torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0); opt.step(); }
    scaler.update(ok);
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
