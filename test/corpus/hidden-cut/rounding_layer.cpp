// hidden-cut, zero: round has a zero gradient, the layers before it get nothing but zeros.
#include <torch/torch.h>
#include <iostream>

struct Quantized : torch::nn::Module {
  Quantized() { enc = register_module("enc", torch::nn::Linear(8, 4)); dec = register_module("dec", torch::nn::Linear(4, 8)); }
  torch::Tensor forward(torch::Tensor x) {
    auto z = enc(x) * 4;
    auto q = torch::round(z) / 4; //-@
    auto q = (z + (torch::round(z) - z).detach()) / 4; //+
    return dec(q);
  }
  torch::nn::Linear enc{nullptr}, dec{nullptr};
};

int main() {
  torch::manual_seed(0);
  Quantized model;
  torch::optim::Adam opt(model.parameters(), 1e-3);
  auto x = torch::randn({10, 8});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(model.forward(x), x);
    loss.backward();
    //= model
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
