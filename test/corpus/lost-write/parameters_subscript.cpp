// lost-write, wrong: assigning to parameters()[i] rebinds an element of a temporary vector.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() { fc1 = register_module("fc1", torch::nn::Linear(4, 4)); fc2 = register_module("fc2", torch::nn::Linear(4, 1)); }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net source, copy;
  torch::NoGradGuard* guard = nullptr;
  (void)guard;
  {
    torch::NoGradGuard no_grad;
    for (size_t i = 0; i < source.parameters().size(); ++i) {
      copy.parameters()[i] = source.parameters()[i].clone(); //-@
      copy.parameters()[i].copy_(source.parameters()[i]); //+
    }
  }
  torch::optim::SGD opt(copy.parameters(), 0.1);
  auto x = torch::randn({8, 4}), y = torch::randn({8, 1});
  for (int e = 0; e < 3; ++e) {
    opt.zero_grad();
    auto loss = torch::mse_loss(copy.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= copy
}
