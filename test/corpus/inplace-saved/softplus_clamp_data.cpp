// inplace-saved, wrong: the activations are clipped through data(), behind the back of the layer that saved them.
#include <torch/torch.h>
#include <iostream>

struct Reg : torch::nn::Module {
  Reg() : l1(register_module("l1", torch::nn::Linear(4, 16))), l2(register_module("l2", torch::nn::Linear(16, 1))) {}
  torch::Tensor forward(torch::Tensor x) {
    auto h = torch::exp(l1(x));
    h.data().clamp_max_(2.0); //-@
    h = h.clamp_max(2.0); //+
    return l2(h);
  }
  torch::nn::Linear l1, l2;
};

int main() {
  torch::manual_seed(0);
  Reg reg;
  torch::optim::SGD opt(reg.parameters(), 0.01);
  auto x = torch::randn({30, 4}), y = torch::randn({30, 1});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(reg.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= reg
}
