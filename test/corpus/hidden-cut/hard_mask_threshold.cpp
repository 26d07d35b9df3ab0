// hidden-cut, undefined: the gate is a comparison, whatever comes before it gets no gradient.
#include <torch/torch.h>
#include <iostream>

struct Gated : torch::nn::Module {
  Gated() {
    gate = register_module("gate", torch::nn::Linear(6, 6));
    body = register_module("body", torch::nn::Linear(6, 6));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto g = (torch::sigmoid(gate(x)) > 0.5).to(torch::kFloat); //-@
    auto g = torch::sigmoid(gate(x)); //+
    return body(x) * g;
  }
  torch::nn::Linear gate{nullptr}, body{nullptr};
};

int main() {
  torch::manual_seed(0);
  Gated net;
  torch::optim::Adam opt(net.parameters(), 1e-2);
  auto x = torch::randn({10, 6});
  for (int i = 0; i < 2; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), x * 2);
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
