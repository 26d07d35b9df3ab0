// clip-order, wrong: gradients are clipped inside the accumulation loop.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(5, 2);
  torch::optim::Adam opt(net->parameters(), 0.01);
  for (int u = 0; u < 3; ++u) {
    opt.zero_grad();
    for (int m = 0; m < 3; ++m) {
      auto loss = net(torch::randn({4, 5})).pow(2).sum();
      loss.backward();
      torch::nn::utils::clip_grad_norm_(net->parameters(), 0.5); //-@
    }
    torch::nn::utils::clip_grad_norm_(net->parameters(), 0.5); //+
    opt.step();
  }
  std::cout << net->weight << "\n";
  //= net
}
