// clean: momentum written by hand, velocities kept in a list and updated in place.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(3, 5), torch::nn::Tanh(), torch::nn::Linear(5, 1));
  std::vector<torch::Tensor> velocity;
  for (auto& p : net->parameters()) velocity.push_back(torch::zeros_like(p));
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({6, 3});
    auto loss = torch::mse_loss(net->forward(x), x.sum(1, true));
    net->zero_grad();
    loss.backward();
    torch::NoGradGuard g;
    auto ps = net->parameters();
    for (size_t k = 0; k < ps.size(); ++k) {
      velocity[k].mul_(0.9).add_(ps[k].grad());
      ps[k].sub_(velocity[k], 0.05);
    }
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
