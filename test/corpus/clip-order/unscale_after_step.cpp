// clip-order, wrong: the step runs before the gradients are divided by the loss scale.
#include <torch/torch.h>
#include <iostream>
struct Amp {
  double scale = 4096;
  torch::Tensor scaled(const torch::Tensor& l) { return scale * l; }
  void unscale(torch::optim::Optimizer& opt) {
    for (auto& g : opt.param_groups())
      for (auto& p : g.params()) if (p.grad().defined()) p.mutable_grad() = p.grad() / scale;
  }
};
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(3, 6), torch::nn::Tanh(), torch::nn::Linear(6, 1));
  torch::optim::SGD opt(net->parameters(), 1e-3);
  Amp amp;
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 3});
    opt.zero_grad();
    auto loss = torch::mse_loss(net->forward(x), x.sum(1, true));
    amp.scaled(loss).backward();
    opt.step(); //-@
    amp.unscale(opt); //@
    opt.step(); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
