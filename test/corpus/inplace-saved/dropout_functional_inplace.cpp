// inplace-saved, throws: functional dropout in place on the output of tanh.
#include <torch/torch.h>
#include <iostream>
namespace F = torch::nn::functional;

struct Net : torch::nn::Module {
  Net() { a = register_module("a", torch::nn::Linear(6, 12)); b = register_module("b", torch::nn::Linear(12, 2)); }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::tanh(a(x));
    x = F::dropout(x, F::DropoutFuncOptions().p(0.3).training(is_training()).inplace(true)); //-@
    x = F::dropout(x, F::DropoutFuncOptions().p(0.3).training(is_training())); //+
    return b(x);
  }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  Net net;
  net.train();
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 2; ++i) {
    auto loss = F::cross_entropy(net.forward(torch::randn({4, 6})), torch::randint(0, 2, {4}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
