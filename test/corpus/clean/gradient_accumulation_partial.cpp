// clean: zero_grad only every fourth batch, and so does the step.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(3, 1);
  torch::optim::SGD opt(net->parameters(), 0.1);
  const int every = 4;
  opt.zero_grad();
  for (int b = 0; b < 12; ++b) {
    auto x = torch::randn({2, 3});
    auto loss = net(x).pow(2).mean() / every;
    loss.backward();
    if ((b + 1) % every == 0) { opt.step(); opt.zero_grad(); }
  }
  std::cout << net->weight << "\n";
  //= net
}
