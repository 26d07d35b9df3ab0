// clean: forward passes whose result is dropped, to warm up and to time, and methods that return the written tensor.
#include <torch/torch.h>
#include <chrono>
#include <iostream>
struct Net : torch::nn::Module {
  Net() : fc(register_module("fc", torch::nn::Linear(5, 5))) {}
  torch::Tensor forward(torch::Tensor x) { return torch::relu(fc(x)); }
  torch::nn::Linear fc;
};
int main() {
  torch::manual_seed(0);
  Net net;
  auto x = torch::randn({4, 5});
  { torch::NoGradGuard g; for (int i = 0; i < 3; ++i) net.forward(x); }
  auto begin = std::chrono::steady_clock::now();
  torch::matmul(x, x.t());
  std::cout << (std::chrono::steady_clock::now() - begin).count() % 1 << "\n";
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto noise = torch::empty({4, 5});
  noise.normal_();
  noise.clamp_(-1, 1);
  for (int i = 0; i < 2; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x + noise), x);
    loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
