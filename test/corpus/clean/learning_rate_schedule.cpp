// clean: the learning rate is changed through the options of the parameter groups; loss spikes skip a step.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

void set_lr(torch::optim::Optimizer& opt, double lr) {
  for (auto& group : opt.param_groups()) {
    if (group.has_options()) {
      auto& options = static_cast<torch::optim::AdamOptions&>(group.options());
      options.lr(lr);
    }
  }
}

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(5, 10), torch::nn::SiLU(), torch::nn::Linear(10, 1));
  torch::optim::Adam opt(net->parameters(), torch::optim::AdamOptions(1e-2));
  const int total = 6;
  for (int i = 0; i < total; ++i) {
    set_lr(opt, 1e-2 * 0.5 * (1 + std::cos(M_PI * i / total)));
    auto x = torch::randn({8, 5});
    auto loss = torch::nn::functional::smooth_l1_loss(net->forward(x), x.norm(2, 1, true));
    opt.zero_grad();
    loss.backward();
    auto norm = torch::nn::utils::clip_grad_norm_(net->parameters(), 10.0);
    if (std::isfinite(norm) && loss.item<float>() < 1e6f) opt.step();
    std::cout << loss.item<float>() << " " << norm << "\n";
  }
}
