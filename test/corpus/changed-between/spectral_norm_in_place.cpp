// changed-between, throws: the weights are clamped between the forward pass and backward, as WGAN clips its critic.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential critic(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 1));
  torch::optim::RMSprop opt(critic->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto loss = critic->forward(torch::randn({6, 4})).mean() - critic->forward(torch::rand({6, 4})).mean();
    {
      torch::NoGradGuard g; //-
      for (auto& p : critic->parameters()) p.clamp_(-0.1, 0.1); //-@
    }
    opt.zero_grad();
    loss.backward();
    opt.step();
    { torch::NoGradGuard g; for (auto& p : critic->parameters()) p.clamp_(-0.1, 0.1); } //+
    std::cout << loss.item<float>() << "\n";
  }
  //= critic
}
