// clean: an early return under a guard, and one that puts grad mode back.
#include <torch/torch.h>
#include <iostream>
double check(torch::nn::Linear& m, torch::Tensor x, double limit) {
  torch::NoGradGuard guard;
  m->eval();
  auto v = m(x).abs().max().item<double>();
  if (v > limit) { m->train(); return limit; }
  m->train();
  return v;
}
bool finite(const torch::Tensor& t) {
  bool before = torch::GradMode::is_enabled();
  torch::GradMode::set_enabled(false);
  bool ok = torch::isfinite(t).all().item<bool>();
  torch::GradMode::set_enabled(before);
  return ok;
}
int main() {
  torch::manual_seed(0);
  torch::nn::Linear m(4, 2);
  torch::optim::SGD opt(m->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({5, 4});
    std::cout << check(m, x, 0.5) << "\n";
    auto loss = m(x).pow(2).mean();
    if (!finite(loss)) continue;
    opt.zero_grad(); loss.backward(); opt.step();
  }
  //= m
}
