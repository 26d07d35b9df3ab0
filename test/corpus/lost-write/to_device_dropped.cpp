// lost-write, wrong: the conversion of the mask weights is dropped, the target stays unnormalised.
#include <torch/torch.h>
#include <iostream>
#include <tuple>

struct Batch { torch::Tensor x, y; };

Batch normalise(Batch b) {
  auto mean = b.x.mean(0), std = b.x.std(0) + 1e-5;
  b.x.sub(mean).div(std); //-@
  b.x = b.x.sub(mean).div(std); //+
  return b;
}

int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(5, 1);
  torch::optim::SGD opt(net->parameters(), 0.01);
  for (int i = 0; i < 3; ++i) {
    auto b = normalise({torch::randn({12, 5}) * 4 + 2, torch::randn({12, 1})});
    auto loss = torch::mse_loss(net(b.x), b.y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
