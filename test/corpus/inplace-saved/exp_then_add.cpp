// inplace-saved, throws: the standard deviation is shifted in place after exp saved it.
#include <torch/torch.h>
#include <iostream>

struct GaussianPolicy : torch::nn::Module {
  GaussianPolicy(int s, int a) {
    base = register_module("base", torch::nn::Linear(s, 16));
    mu = register_module("mu", torch::nn::Linear(16, a));
    log_std = register_module("log_std", torch::nn::Linear(16, a));
  }
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& s) {
    auto h = torch::tanh(base(s));
    auto std = log_std(h).clamp(-5, 2).exp();
    std += 1e-4; //-@
    std = std + 1e-4; //+
    return {mu(h), std};
  }
  torch::nn::Linear base{nullptr}, mu{nullptr}, log_std{nullptr};
};

torch::Tensor log_prob(torch::Tensor a, torch::Tensor mu, torch::Tensor std) {
  return -((a - mu).pow(2) / (2 * std.pow(2)) + std.log()).sum(-1);
}

int main() {
  torch::manual_seed(0);
  GaussianPolicy pi(3, 2);
  torch::optim::Adam opt(pi.parameters(), 3e-4);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({6, 3}), ret = torch::randn({6});
    auto [mu, std] = pi.forward(s);
    auto a = (mu + std * torch::randn_like(std)).detach();
    auto loss = -(log_prob(a, mu, std) * ret).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= pi
}
