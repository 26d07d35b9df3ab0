// clean: x - x.detach() is zero in value and one in slope, on purpose.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear pi(3, 2);
  torch::optim::SGD opt(pi->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto logp = torch::log_softmax(pi(torch::randn({6, 3})), 1).select(1, 0);
    auto box = torch::exp(logp - logp.detach());
    auto loss = -(box * torch::randn({6})).mean();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= pi
}
