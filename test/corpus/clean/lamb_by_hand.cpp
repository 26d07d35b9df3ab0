// clean: a hand-written optimizer (LAMB) with its state in a map, decoupled decay and writes through data().
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>
#include <vector>

class Lamb {
 public:
  struct State {
    int64_t step = 0;
    torch::Tensor m, v;
  };

  Lamb(std::vector<torch::Tensor> params, double lr, double decay) : params_(std::move(params)), lr_(lr), decay_(decay) {}

  void zero_grad() {
    for (auto& p : params_)
      if (p.mutable_grad().defined()) {
        p.mutable_grad().detach_();
        p.mutable_grad().zero_();
      }
  }

  void step() {
    torch::NoGradGuard no_grad;
    for (auto& p : params_) {
      if (!p.grad().defined()) continue;
      auto& s = state_[p.unsafeGetTensorImpl()];
      if (s.step == 0) {
        s.m = torch::zeros_like(p);
        s.v = torch::zeros_like(p);
      }
      ++s.step;
      const auto& g = p.grad();
      s.m.mul_(0.9).add_(g, 0.1);
      s.v.mul_(0.999).addcmul_(g, g, 0.001);
      auto m = s.m / (1 - std::pow(0.9, s.step)), v = s.v / (1 - std::pow(0.999, s.step));
      auto update = m / (v.sqrt() + 1e-6) + decay_ * p.data();
      double w_norm = p.data().norm().item<double>(), u_norm = update.norm().item<double>();
      double trust = w_norm > 0 && u_norm > 0 ? w_norm / u_norm : 1.0;
      p.data().add_(update, -lr_ * trust);
    }
  }

 private:
  std::vector<torch::Tensor> params_;
  std::unordered_map<void*, State> state_;
  double lr_, decay_;
};

int main() {
  torch::manual_seed(3);
  torch::nn::Sequential model(torch::nn::Linear(5, 20), torch::nn::LayerNorm(torch::nn::LayerNormOptions({20})), torch::nn::SiLU(), torch::nn::Linear(20, 1));
  Lamb opt(model->parameters(), 1e-2, 0.01);
  auto x = torch::randn({64, 5}), y = (x * x).sum(1, true);
  for (int epoch = 0; epoch < 4; ++epoch)
    for (int64_t b = 0; b < 64; b += 16) {
      opt.zero_grad();
      auto loss = torch::mse_loss(model->forward(x.narrow(0, b, 16)), y.narrow(0, b, 16));
      loss.backward();
      opt.step();
      if (b == 0) std::cout << loss.item<float>() << "\n";
    }
  //= model
}
