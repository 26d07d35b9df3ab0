// grad-mode, undefined: under autocast the weights are first cast without gradients, and the cast is cached.
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
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({4, 8});
  auto y = torch::randint(0, 2, {4});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::increment_nesting();
    torch::Tensor teacher;
    {
      torch::NoGradGuard no_grad; //@
      teacher = torch::softmax(net.forward(x), 1);
    }
    at::autocast::clear_cache(); //+
    auto out = net.forward(x + 0.01); //@
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    auto loss = torch::nn::functional::cross_entropy(out.to(torch::kFloat), y) + torch::mse_loss(torch::softmax(out, 1), teacher).to(torch::kFloat);
    if (loss.requires_grad()) loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
