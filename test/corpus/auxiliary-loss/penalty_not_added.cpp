// auxiliary-loss, wrong: the penalty is computed by a helper whose result is dropped.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() { a = register_module("a", torch::nn::Linear(6, 6)); b = register_module("b", torch::nn::Linear(6, 1)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

torch::Tensor add_l2(torch::Tensor loss, const torch::nn::Module& net, double lambda) {
  for (const auto& p : net.parameters()) {
    loss = loss + lambda * p.pow(2).sum();
  }
  return loss;
}

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD opt(net.parameters(), 0.01);
  auto x = torch::randn({20, 6});
  auto y = torch::randn({20, 1});
  for (int i = 0; i < 5; i++) {
    auto loss = torch::mse_loss(net.forward(x), y);
    add_l2(loss, net, 0.1); //-@
    loss = add_l2(loss, net, 0.1); //+
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
