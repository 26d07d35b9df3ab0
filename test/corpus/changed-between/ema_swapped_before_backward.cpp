// changed-between, wrong: the averaged weights are copied into the net for logging while the loss still waits for its backward.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Net : torch::nn::Module {
  torch::nn::Linear a, b;
  Net() : a(4, 16), b(16, 1) {
    register_module("a", a);
    register_module("b", b);
  }
  torch::Tensor forward(const torch::Tensor& x) { return b(torch::sigmoid(a(x))); }
};

class Average {
 public:
  explicit Average(const Net& n) {
    for (const auto& p : n.parameters()) shadow_.push_back(p.detach().clone());
  }
  void update(const Net& n) {
    auto ps = n.parameters();
    for (size_t i = 0; i < ps.size(); ++i) shadow_[i].mul_(0.9).add_(ps[i].detach(), 0.1);
  }
  void load_into(Net& n) const {
    auto ps = n.parameters();
    for (size_t i = 0; i < ps.size(); ++i) ps[i].data().copy_(shadow_[i]); //@
  }

 private:
  std::vector<torch::Tensor> shadow_;
};

int main() {
  torch::manual_seed(308);
  Net net;
  Average average(net);
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 6; ++i) {
    auto x = torch::randn({16, 4}), y = x.abs().sum(1, true);
    auto loss = torch::mse_loss(net.forward(x), y);
    if (i % 2 == 1) average.load_into(net); //-
    opt.zero_grad();
    loss.backward();
    opt.step();
    average.update(net);
    if (i % 2 == 1) average.load_into(net); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
