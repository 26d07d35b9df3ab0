// clip-order, wrong: with a loss scale written by hand the gradients are clipped before they are unscaled.
#include <torch/torch.h>
#include <iostream>

struct Tiny : torch::nn::Module {
  Tiny() { a = register_module("a", torch::nn::Linear(16, 16)); b = register_module("b", torch::nn::Linear(16, 1)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(6);
  const float loss_scale = 1024.f;
  Tiny model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  auto x = torch::randn({32, 16}), y = torch::randn({32, 1});
  for (int i = 0; i < 4; ++i) {
    optimizer.zero_grad();
    auto loss = torch::mse_loss(model.forward(x), y);
    (loss * loss_scale).backward();
    torch::nn::utils::clip_grad_norm_(model.parameters(), 0.5); //-@
    for (auto& p : model.parameters()) {
      if (p.grad().defined()) p.mutable_grad().div_(loss_scale);
    }
    torch::nn::utils::clip_grad_norm_(model.parameters(), 0.5); //+
    optimizer.step();
    std::cout << i << " " << loss.item<float>() << "\n";
  }
  //= model
}
