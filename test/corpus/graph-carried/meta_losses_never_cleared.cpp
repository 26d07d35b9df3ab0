// graph-carried, throws: the losses of the tasks are collected in a member that is not cleared between meta steps.
#include <torch/torch.h>
#include <iostream>
#include <vector>

using Weights = std::vector<torch::Tensor>;

class MetaLearner {
 public:
  MetaLearner() {
    weights_ = {torch::randn({1, 20}) * 0.5, torch::zeros({20}), torch::randn({20, 1}) * 0.3, torch::zeros({1})};
    for (auto& w : weights_) w.requires_grad_();
    optimizer_ = std::make_unique<torch::optim::Adam>(weights_, 1e-3);
  }

  static torch::Tensor net(const Weights& w, const torch::Tensor& x) { return torch::tanh(x.mm(w[0]) + w[1]).mm(w[2]) + w[3]; }

  void add_task(const torch::Tensor& x, const torch::Tensor& y) {
    auto support = torch::mse_loss(net(weights_, x.slice(0, 0, 5)), y.slice(0, 0, 5));
    auto grads = torch::autograd::grad({support}, weights_, {}, true, true);
    Weights fast;
    for (size_t i = 0; i < weights_.size(); ++i) fast.push_back(weights_[i] - 0.05 * grads[i]);
    query_losses_.push_back(torch::mse_loss(net(fast, x.slice(0, 5)), y.slice(0, 5))); //@
  }

  float meta_step() {
    auto loss = torch::stack(query_losses_).mean();
    optimizer_->zero_grad();
    loss.backward(); //@
    optimizer_->step();
    query_losses_.clear(); //+
    return loss.item<float>();
  }

  const Weights& weights() const { return weights_; }

 private:
  Weights weights_;
  std::unique_ptr<torch::optim::Adam> optimizer_;
  std::vector<torch::Tensor> query_losses_;
};

int main() {
  torch::manual_seed(108);
  MetaLearner meta;
  for (int iteration = 0; iteration < 3; ++iteration) {
    for (int task = 0; task < 2; ++task) {
      auto x = torch::rand({10, 1}) * 6 - 3;
      meta.add_task(x, (1 + task) * torch::sin(x + iteration));
    }
    std::cout << "meta loss " << meta.meta_step() << "\n";
  }
  //= meta.weights()
}
