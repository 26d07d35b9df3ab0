// grad-mode, undefined: set_enabled(false) for the validation is never undone.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() {
    conv = register_module("conv", torch::nn::Conv1d(1, 4, 3));
    fc = register_module("fc", torch::nn::Linear(4 * 14, 1));
  }
  torch::Tensor forward(torch::Tensor x) { return fc(torch::relu(conv(x)).flatten(1)); }
  torch::nn::Conv1d conv{nullptr};
  torch::nn::Linear fc{nullptr};
};

float validate(Net& net, torch::Tensor x, torch::Tensor y) {
  torch::GradMode::set_enabled(false); //-@
  torch::NoGradGuard no_grad; //+
  return torch::mse_loss(net.forward(x), y).item<float>();
}

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  auto x = torch::randn({8, 1, 16}), y = torch::randn({8, 1});
  std::cout << "before training: " << validate(net, x, y) << "\n";
  for (int epoch = 0; epoch < 3; ++epoch) {
    net.train();
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    if (loss.requires_grad()) loss.backward();
    opt.step();
    //= net
    net.eval();
    std::cout << "epoch " << epoch << ": " << validate(net, x, y) << "\n";
  }
}
