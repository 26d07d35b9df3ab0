// clean: an optimizer written by hand, with momentum buffers, that writes parameters under a guard.
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>

class MyMomentum {
 public:
  MyMomentum(std::vector<torch::Tensor> params, double lr, double mu) : params_(std::move(params)), lr_(lr), mu_(mu) {
    for (const auto& p : params_) velocity_.push_back(torch::zeros_like(p));
  }
  void zero_grad() {
    for (auto& p : params_)
      if (p.grad().defined()) {
        p.mutable_grad().detach_();
        p.mutable_grad().zero_();
      }
  }
  void step() {
    torch::NoGradGuard guard;
    for (size_t i = 0; i < params_.size(); ++i) {
      if (!params_[i].grad().defined()) continue;
      velocity_[i].mul_(mu_).add_(params_[i].grad());
      params_[i].sub_(lr_ * velocity_[i]);
    }
  }
 private:
  std::vector<torch::Tensor> params_, velocity_;
  double lr_, mu_;
};

int main() {
  torch::manual_seed(0);
  auto net = torch::nn::Sequential(torch::nn::Linear(3, 9), torch::nn::ELU(), torch::nn::Linear(9, 1));
  MyMomentum opt(net->parameters(), 0.05, 0.9);
  for (int i = 0; i < 10; ++i) {
    auto x = torch::randn({16, 3});
    auto loss = torch::mse_loss(net->forward(x), x.prod(1, true));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
