// lost-write, wrong: relu without the underscore as a statement.
#include <torch/torch.h>
#include <iostream>
struct Net : torch::nn::Module {
  Net() { l1 = register_module("l1", torch::nn::Linear(5, 9)); l2 = register_module("l2", torch::nn::Linear(9, 2)); }
  torch::Tensor forward(torch::Tensor x) {
    auto h = l1(x);
    torch::relu(h); //-@
    h = torch::relu(h); //+
    return l2(h);
  }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};
int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::Adam opt(net.parameters(), 0.01);
  for (int i = 0; i < 3; ++i) {
    auto loss = torch::nn::functional::cross_entropy(net.forward(torch::randn({7, 5})), torch::randint(0, 2, {7}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
