// clean: a tutorial that shows gradients, clears them and goes on, with an optimizer only at the end.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  auto x = torch::ones({2, 2}, torch::requires_grad());
  auto out = (x + 2).pow(2).mean();
  out.backward();
  std::cout << x.grad() << "\n";
  torch::nn::Linear net(4, 2);
  auto o = net(torch::randn({1, 4}));
  net->zero_grad();
  o.backward(torch::randn({1, 2}));
  auto loss = torch::mse_loss(net(torch::randn({3, 4})), torch::randn({3, 2}));
  net->zero_grad();
  std::cout << "bias.grad before: " << net->bias.grad() << "\n";
  loss.backward();
  std::cout << "bias.grad after: " << net->bias.grad() << "\n";
  torch::optim::SGD opt(net->parameters(), 0.01);
  opt.zero_grad();
  torch::mse_loss(net(torch::randn({3, 4})), torch::randn({3, 2})).backward();
  opt.step();
  //= net
}
