// lost-write, wrong: index with a mask returns a copy, assigning to it changes nothing.
#include <torch/torch.h>
#include <iostream>

struct Denoiser : torch::nn::Module {
  Denoiser() { l1 = register_module("l1", torch::nn::Linear(10, 10)); }
  torch::Tensor forward(torch::Tensor x) { return l1(x); }
  torch::nn::Linear l1{nullptr};
};

int main() {
  torch::manual_seed(0);
  Denoiser net;
  torch::optim::Adam opt(net.parameters(), 1e-2);
  auto clean = torch::rand({16, 10});
  for (int i = 0; i < 4; ++i) {
    auto noisy = clean.clone();
    auto mask = torch::rand_like(noisy) < 0.3;
    noisy.index({mask}) = 0.0; //-@
    noisy.index_put_({mask}, 0.0); //+
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(noisy), clean);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
