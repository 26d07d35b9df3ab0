// clean: the target network is a module of its own, averaged after each step.
#include <torch/torch.h>
#include <iostream>
struct CriticImpl : torch::nn::Module {
  CriticImpl() : a(register_module("a", torch::nn::Linear(3, 8))), b(register_module("b", torch::nn::Linear(8, 1))) {}
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a, b;
};
TORCH_MODULE(Critic);
int main() {
  torch::manual_seed(0);
  Critic online, target;
  auto sync = [&](double tau) {
    torch::NoGradGuard guard;
    auto t = target->parameters(), o = online->parameters();
    for (size_t i = 0; i < t.size(); ++i) t[i].mul_(1 - tau).add_(o[i], tau);
  };
  sync(1.0);
  torch::optim::Adam opt(online->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({6, 3}), n = torch::randn({6, 3}), r = torch::randn({6, 1});
    torch::Tensor y;
    { torch::NoGradGuard g; y = r + 0.9 * target(n); }
    auto loss = torch::mse_loss(online(s), y);
    opt.zero_grad(); loss.backward(); opt.step(); sync(0.05);
    std::cout << loss.item<float>() << "\n";
  }
  //= online
}
