// inplace-saved, throws: the gate is scaled in place after sigmoid saved it.
#include <torch/torch.h>
#include <iostream>

struct GatedUnit : torch::nn::Module {
  GatedUnit(int64_t n) : value(n, n), gate(n, n) {
    register_module("value", value);
    register_module("gate", gate);
  }
  torch::Tensor forward(torch::Tensor x) {
    auto g = torch::sigmoid(gate(x));
    auto v = torch::tanh(value(x));
    g.mul_(2.0); //-@
    g = g * 2.0; //+
    return g * v;
  }
  torch::nn::Linear value, gate;
};

int main() {
  torch::manual_seed(0);
  GatedUnit unit(12);
  torch::optim::SGD opt(unit.parameters(), 0.01);
  auto x = torch::randn({5, 12});
  for (int i = 0; i < 3; i++) {
    opt.zero_grad();
    auto loss = unit.forward(x).pow(2).mean();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= unit
}
