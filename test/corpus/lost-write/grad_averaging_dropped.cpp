// lost-write, wrong: the division of the accumulated gradients by the number of micro-batches is dropped.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  const int micro = 4;
  torch::nn::Sequential net(torch::nn::Linear(6, 12), torch::nn::Tanh(), torch::nn::Linear(12, 1));
  torch::optim::SGD opt(net->parameters(), 0.01);
  for (int update = 0; update < 3; ++update) {
    opt.zero_grad();
    for (int m = 0; m < micro; ++m) {
      auto x = torch::randn({4, 6});
      torch::mse_loss(net->forward(x), x.sum(1, true)).backward();
    }
    for (auto& p : net->parameters()) {
      if (!p.grad().defined()) continue;
      p.grad().div(micro); //-@
      p.grad().div_(micro); //+
    }
    opt.step();
  }
  std::cout << net->parameters()[0].norm() << std::endl;
  //= net
}
