// zero-grad, undefined|stale: step comes before backward, so it uses the cleared gradients.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  auto lin = torch::nn::Linear(4, 1);
  torch::optim::Adam opt(lin->parameters(), 1e-2);
  auto x = torch::randn({30, 4}), y = torch::randn({30, 1});
  for (int e = 0; e < 5; ++e) {
    auto loss = torch::mse_loss(lin(x), y);
    opt.zero_grad();
    opt.step(); //-@
    loss.backward(); //@
    opt.step(); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= lin
}
