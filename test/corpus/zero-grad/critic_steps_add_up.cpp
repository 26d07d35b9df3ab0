// zero-grad, stale: the critic is only zeroed outside of its inner loop, so its repeated steps add up their gradients.
#include <torch/torch.h>
#include <iostream>

using MLP = torch::nn::Sequential;

static MLP mlp(int64_t in, int64_t hidden, int64_t out) {
  return MLP(torch::nn::Linear(in, hidden), torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)), torch::nn::Linear(hidden, out));
}

struct Wgan {
  MLP generator = mlp(5, 32, 2), critic = mlp(2, 32, 1);
  torch::optim::RMSprop g_opt{generator->parameters(), 5e-4}, c_opt{critic->parameters(), 5e-4};

  torch::Tensor noise(int64_t n) const { return torch::randn({n, 5}); }

  float critic_update(const torch::Tensor& real) {
    c_opt.zero_grad(); //+
    auto fake = generator->forward(noise(real.size(0))).detach();
    auto loss = critic->forward(fake).mean() - critic->forward(real).mean();
    loss.backward(); //@
    c_opt.step(); //@
    torch::NoGradGuard guard;
    for (auto& p : critic->parameters()) p.clamp_(-0.05, 0.05);
    return loss.item<float>();
  }
  float generator_update(int64_t n) {
    g_opt.zero_grad();
    auto loss = -critic->forward(generator->forward(noise(n))).mean();
    loss.backward();
    g_opt.step();
    return loss.item<float>();
  }
};

int main() {
  torch::manual_seed(70);
  Wgan gan;
  auto real = torch::randn({32, 2}) * 0.2 + 1;
  for (int it = 0; it < 3; ++it) {
    gan.c_opt.zero_grad();
    float c = 0;
    for (int k = 0; k < 5; ++k) c = gan.critic_update(real);
    float g = gan.generator_update(32);
    std::cout << it << " critic " << c << " generator " << g << "\n";
  }
  //= gan.critic, gan.generator
}
