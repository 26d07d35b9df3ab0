// clean: averaged weights are cloned, swapped in for evaluation and the trained ones put back before training goes on.
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>

class WeightAverage {
 public:
  WeightAverage(std::shared_ptr<torch::nn::Module> model, double decay) : model_(std::move(model)), decay_(decay) {
    for (auto& kv : model_->named_parameters()) average_.emplace(kv.key(), kv.value().detach().clone());
  }
  void update() {
    torch::NoGradGuard guard;
    for (auto& kv : model_->named_parameters()) average_[kv.key()].lerp_(kv.value(), 1 - decay_);
  }
  void apply() {
    torch::NoGradGuard guard;
    for (auto& kv : model_->named_parameters()) {
      kept_[kv.key()] = kv.value().detach().clone();
      kv.value().copy_(average_[kv.key()]);
    }
  }
  void restore() {
    torch::NoGradGuard guard;
    for (auto& kv : model_->named_parameters()) kv.value().copy_(kept_[kv.key()]);
    kept_.clear();
  }

 private:
  std::shared_ptr<torch::nn::Module> model_;
  double decay_;
  std::unordered_map<std::string, torch::Tensor> average_, kept_;
};

struct Mlp : torch::nn::Module {
  Mlp() {
    a = register_module("a", torch::nn::Linear(6, 24));
    b = register_module("b", torch::nn::Linear(24, 1));
  }
  torch::Tensor forward(torch::Tensor x) { return b(a(x).relu_()); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(2);
  auto model = std::make_shared<Mlp>();
  WeightAverage ema(model, 0.98);
  torch::optim::Adam opt(model->parameters(), 1e-2);
  auto x = torch::randn({60, 6}), y = x.sum(1, true).sin();
  double best = 1e9;
  for (int epoch = 0; epoch < 6; ++epoch) {
    for (int64_t i = 0; i < 60; i += 20) {
      opt.zero_grad();
      auto loss = torch::mse_loss(model->forward(x.narrow(0, i, 20)), y.narrow(0, i, 20));
      loss.backward();
      opt.step();
      ema.update();
    }
    ema.apply();
    {
      torch::NoGradGuard guard;
      best = std::min(best, torch::mse_loss(model->forward(x), y).item<double>());
    }
    ema.restore();
    std::cout << epoch << " best " << best << '\n';
  }
}
