// inplace-saved, wrong: a view of the features is read after its base was overwritten.
#include <torch/torch.h>
#include <iostream>

struct TwoStream : torch::nn::Module {
  TwoStream() {
    embed = register_module("embed", torch::nn::Linear(6, 12));
    left = register_module("left", torch::nn::Linear(6, 1));
    right = register_module("right", torch::nn::Linear(12, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto h = embed(x);
    auto first = h.narrow(1, 0, 6); //-
    auto first = h.narrow(1, 0, 6).clone(); //+
    h.mul_(h.detach().norm(2, 1, true).reciprocal()); //@
    return left(first) + right(h);
  }
  torch::nn::Linear embed{nullptr}, left{nullptr}, right{nullptr};
};

int main() {
  torch::manual_seed(0);
  TwoStream net;
  torch::optim::SGD opt(net.parameters(), 0.05);
  auto x = torch::randn({9, 6}), y = torch::randn({9, 1});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
