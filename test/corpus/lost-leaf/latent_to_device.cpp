// lost-leaf, undefined|stale: the latent code is moved and scaled after requires_grad, the optimised tensor is no leaf... so Adam is given a copy.
#include <torch/torch.h>
#include <iostream>

struct Decoder : torch::nn::Module {
  Decoder() { l = register_module("l", torch::nn::Linear(4, 10)); }
  torch::Tensor forward(torch::Tensor z) { return torch::sigmoid(l(z)); }
  torch::nn::Linear l{nullptr};
};

int main() {
  torch::manual_seed(0);
  Decoder dec;
  for (auto& p : dec.parameters()) p.requires_grad_(false);
  auto target = torch::rand({1, 10});
  auto z = torch::randn({1, 4}).requires_grad_();
  auto code = z.clone().mul(0.5).detach().requires_grad_(); //-@
  auto code = z; //+
  torch::optim::Adam opt({z}, 0.05); //@
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(dec.forward(code), target);
    loss.backward();
    //= z
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
