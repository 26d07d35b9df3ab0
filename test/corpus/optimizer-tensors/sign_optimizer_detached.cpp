// optimizer-tensors, stale: the hand-written optimizer keeps detached tensors, which never have a gradient.
#include <torch/torch.h>
#include <iostream>
#include <vector>

// Lion, after the paper.
class Lion {
 public:
  Lion(const std::vector<torch::Tensor>& parameters, double lr, double b1 = 0.9, double b2 = 0.99)
      : lr_(lr), b1_(b1), b2_(b2) {
    for (const auto& p : parameters) {
      params_.push_back(p.detach()); //-@
      params_.push_back(p); //+
      momentum_.push_back(torch::zeros_like(p));
    }
  }
  void zeroGrad() {
    for (auto& p : params_)
      if (p.grad().defined()) p.mutable_grad().zero_();
  }
  void step() {
    torch::NoGradGuard no_grad;
    for (size_t i = 0; i < params_.size(); ++i) {
      auto& p = params_[i];
      if (!p.grad().defined()) continue;
      auto g = p.grad();
      auto update = (momentum_[i] * b1_ + g * (1 - b1_)).sign();
      p.sub_(update, lr_);
      momentum_[i].mul_(b2_).add_(g, 1 - b2_);
    }
  }

 private:
  std::vector<torch::Tensor> params_, momentum_;
  double lr_, b1_, b2_;
};

int main() {
  torch::manual_seed(21);
  torch::nn::Sequential mlp(torch::nn::Linear(4, 16), torch::nn::SiLU(), torch::nn::Linear(16, 1));
  Lion lion(mlp->parameters(), 3e-3);
  auto x = torch::rand({64, 4}) * 2 - 1;
  auto y = (x * x).sum(1, true);
  double last = 0;
  for (int it = 0; it < 40; ++it) {
    lion.zeroGrad();
    auto loss = torch::mse_loss(mlp->forward(x), y);
    loss.backward();
    lion.step();
    last = loss.item<double>();
  }
  std::cout << "final loss " << last << std::endl;
  //= mlp
}
