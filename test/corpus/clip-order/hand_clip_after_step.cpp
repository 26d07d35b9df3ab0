// clip-order, wrong: the hand-written gradient clipping runs after the step.
#include <torch/torch.h>
#include <algorithm>
#include <cmath>
#include <iostream>

class Trainer {
 public:
  Trainer() : net(torch::nn::Linear(10, 10), torch::nn::ReLU(), torch::nn::Linear(10, 1)), opt(net->parameters(), 0.05) {}
  float fit(torch::Tensor x, torch::Tensor y) {
    auto loss = torch::mse_loss(net->forward(x), y);
    opt.zero_grad();
    loss.backward();
    clip(0.1); //+
    opt.step();
    clip(0.1); //-@
    return loss.item<float>();
  }
  torch::nn::Sequential net;

 private:
  void clip(double limit) {
    double squares = 0;
    for (auto& p : net->parameters()) squares += p.grad().pow(2).sum().item<double>();
    double factor = std::min(1.0, limit / (std::sqrt(squares) + 1e-12));
    for (auto& p : net->parameters()) p.grad().mul_(factor); //@
  }
  torch::optim::SGD opt;
};

int main() {
  torch::manual_seed(0);
  Trainer trainer;
  auto x = torch::randn({20, 10}), y = torch::randn({20, 1}) * 5;
  for (int i = 0; i < 4; ++i) std::cout << trainer.fit(x, y) << "\n";
  //= trainer.net
}
