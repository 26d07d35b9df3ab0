// grad-mode, stale: autocast stays on for the whole program and its cache of cast weights is never cleared.
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() { fc1 = register_module("fc1", torch::nn::Linear(8, 8)); fc2 = register_module("fc2", torch::nn::Linear(8, 2)); }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.5);
  auto x = torch::randn({4, 8});
  auto y = torch::randint(0, 2, {4});
  at::autocast::set_autocast_enabled(at::kCPU, true); //@
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto out = net.forward(x); //@
    auto loss = torch::nn::functional::cross_entropy(out.to(torch::kFloat), y);
    loss.backward();
    opt.step(); //@
    at::autocast::clear_cache(); //+
    std::cout << loss.item<float>() << "\n";
  }
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  //= net
}
