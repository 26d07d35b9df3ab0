// clip-order, wrong: zero_grad between clip and the next micro batch... the clip runs before the last backward.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(5, 20), torch::nn::ReLU(), torch::nn::Linear(20, 1));
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int it = 0; it < 3; ++it) {
    auto x1 = torch::randn({8, 5}), x2 = torch::randn({8, 5});
    opt.zero_grad();
    auto first = (net->forward(x1) - 5).pow(2).mean();
    first.backward();
    torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0); //-@
    auto second = (net->forward(x2) - 5).pow(2).mean();
    second.backward();
    torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0); //+
    opt.step();
    std::cout << first.item<float>() + second.item<float>() << "\n";
  }
  //= net
}
