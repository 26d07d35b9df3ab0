// snapshot, stale: the best weights are kept by handle, so restoring them restores the last ones.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

struct Net : torch::nn::Module {
  Net() { l = register_module("l", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return l(x); }
  torch::nn::Linear l{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 2.5);
  auto x = torch::randn({40, 3}), y = torch::randn({40, 1});
  std::map<std::string, torch::Tensor> best;
  float best_loss = 1e9f;
  for (int e = 0; e < 8; ++e) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    if (loss.item<float>() < best_loss) {
      best_loss = loss.item<float>();
      for (auto& p : net.named_parameters()) best[p.key()] = p.value(); //-@
      for (auto& p : net.named_parameters()) best[p.key()] = p.value().detach().clone(); //+
    }
    loss.backward();
    opt.step();
  }
  {
    torch::NoGradGuard guard;
    for (auto& p : net.named_parameters()) p.value().copy_(best[p.key()]);
    std::cout << best_loss << " " << torch::mse_loss(net.forward(x), y).item<float>() << "\n";
  }
  //= net
}
