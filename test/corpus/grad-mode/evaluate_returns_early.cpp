// grad-mode, undefined: grad mode is switched off for the check of a batch and not switched on again on the early return.
#include <torch/torch.h>
#include <iostream>

bool degenerate(torch::nn::Linear& m, const torch::Tensor& x) {
  bool before = torch::GradMode::is_enabled();
  torch::GradMode::set_enabled(false);
  auto out = m->forward(x);
  if (out.std().item<float>() > 1e-8) return false; //-@
  bool flat = !(out.std().item<float>() > 1e-8); //+
  torch::GradMode::set_enabled(before);
  return true; //-
  return flat; //+
}

int main() {
  torch::manual_seed(0);
  torch::nn::Linear model(4, 3);
  torch::optim::SGD opt(model->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 4});
    if (degenerate(model, x)) continue;
    auto loss = model(x).pow(2).mean();
    opt.zero_grad();
    if (loss.requires_grad()) loss.backward();
    //= model
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
