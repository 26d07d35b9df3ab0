// changed-between, throws: the key encoder is updated between its forward and backward because it is not under the guard.
#include <torch/torch.h>
#include <iostream>

struct MoCo : torch::nn::Module {
  MoCo() {
    q = register_module("q", torch::nn::Linear(8, 4));
    temperature = register_parameter("temperature", torch::ones({1}));
  }
  torch::Tensor forward(torch::Tensor a, torch::Tensor b) {
    auto z = q(a) * temperature;
    auto k = q(b).detach();
    normalise(); //-
    auto loss = torch::mse_loss(z, k);
    return loss;
  }
  void normalise() {
    torch::NoGradGuard guard;
    temperature.clamp_(0.01, 10.0); //@
  }
  torch::nn::Linear q{nullptr};
  torch::Tensor temperature;
};

int main() {
  torch::manual_seed(0);
  MoCo m;
  torch::optim::SGD opt(m.parameters(), 0.1);
  for (int i = 0; i < 2; ++i) {
    auto loss = m.forward(torch::randn({5, 8}), torch::randn({5, 8}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    m.normalise(); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= m
}
