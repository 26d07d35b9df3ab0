// zero-grad, stale: the backward calls of the attack fill the weights' gradients too, and nobody clears them before training.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

struct NetImpl : torch::nn::Module {
  NetImpl() : fc1(16, 32), fc2(32, 4) {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1, fc2;
};
TORCH_MODULE(Net);

class PGD {
 public:
  PGD(float eps, float alpha, int steps) : eps_(eps), alpha_(alpha), steps_(steps) {}
  torch::Tensor operator()(Net& net, const torch::Tensor& clean, const torch::Tensor& y) const {
    auto adv = clean + torch::empty_like(clean).uniform_(-eps_, eps_);
    for (int k = 0; k < steps_; ++k) {
      adv = adv.detach().requires_grad_(true);
      auto loss = F::cross_entropy(net->forward(adv), y);
      loss.backward();
      auto moved = adv.detach() + alpha_ * adv.grad().sign();
      adv = torch::max(torch::min(moved, clean + eps_), clean - eps_);
    }
    return adv.detach();
  }

 private:
  float eps_, alpha_;
  int steps_;
};

int main() {
  torch::manual_seed(2);
  Net net;
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.1).momentum(0.5));
  PGD attack(0.1f, 0.03f, 4);
  auto x = torch::rand({40, 16});
  auto y = torch::randint(0, 4, {40});
  for (int epoch = 0; epoch < 4; ++epoch) {
    optimizer.zero_grad(); //-
    auto x_adv = attack(net, x, y);
    optimizer.zero_grad(); //+
    auto loss = F::cross_entropy(net->forward(x_adv), y);
    loss.backward(); //@
    optimizer.step(); //@
    std::cout << "robust loss " << loss.item<float>() << std::endl;
  }
  //= net
}
