// grad-mode, undefined: the helper that logs the weight norm turns autograd off and leaves by the early return.
#include <torch/torch.h>
#include <iostream>

static int calls = 0;

float weight_norm(const std::vector<torch::Tensor>& weights, int every) {
  torch::autograd::GradMode::set_enabled(false);
  ++calls;
  if (calls % every != 0) return -1.f; //-@
  if (calls % every != 0) { torch::autograd::GradMode::set_enabled(true); return -1.f; } //+
  float total = 0;
  for (const auto& w : weights) total += w.norm().item<float>();
  torch::autograd::GradMode::set_enabled(true);
  return total;
}

int main() {
  torch::manual_seed(3);
  torch::nn::Linear m(3, 3);
  torch::optim::SGD opt(m->parameters(), 0.1);
  weight_norm(m->parameters(), 2);
  for (int i = 0; i < 1; ++i) {
    auto out = m(torch::randn({5, 3}));
    opt.zero_grad();
    if (out.requires_grad()) out.pow(2).sum().backward();
    //= m
    opt.step();
  }
}
