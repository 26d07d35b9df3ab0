// clean: Adam written out over a vector of tensors; the gradients are dropped by assigning undefined tensors.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct State {
  torch::Tensor m, v;
  int64_t t = 0;
};

class HandAdam {
 public:
  explicit HandAdam(std::vector<torch::Tensor> parameters, double lr = 1e-3) : parameters_(std::move(parameters)), states_(parameters_.size()), lr_(lr) {}
  void step() {
    torch::NoGradGuard guard;
    for (size_t i = 0; i < parameters_.size(); ++i) {
      torch::Tensor& p = parameters_[i];
      if (!p.grad().defined()) continue;
      State& s = states_[i];
      if (s.t == 0) {
        s.m = torch::zeros_like(p);
        s.v = torch::zeros_like(p);
      }
      ++s.t;
      const torch::Tensor& g = p.grad();
      s.m.mul_(0.9).add_(g, 0.1);
      s.v.mul_(0.999).addcmul_(g, g, 0.001);
      auto m_hat = s.m / (1 - std::pow(0.9, double(s.t)));
      auto v_hat = s.v / (1 - std::pow(0.999, double(s.t)));
      p.addcdiv_(m_hat, v_hat.sqrt_().add_(1e-8), -lr_);
    }
  }
  void reset_gradients() {
    for (auto& p : parameters_) p.mutable_grad() = torch::Tensor();
  }

 private:
  std::vector<torch::Tensor> parameters_;
  std::vector<State> states_;
  double lr_;
};

int main() {
  torch::manual_seed(4);
  const int64_t K = 3;
  // mixture of Gaussians fitted by gradient descent
  auto logits = torch::zeros({K}, torch::requires_grad());
  auto means = torch::randn({K}).requires_grad_();
  auto log_scale = torch::zeros({K}, torch::requires_grad());
  HandAdam adam({logits, means, log_scale}, 0.05);
  auto data = torch::cat({torch::randn({40}) * 0.3 - 2, torch::randn({40}) * 0.5 + 1.5});
  for (int it = 0; it < 20; ++it) {
    auto z = (data.unsqueeze(1) - means) / log_scale.exp();
    auto component = -0.5 * z.pow(2) - log_scale - 0.5 * std::log(2 * M_PI);
    auto loss = -(torch::log_softmax(logits, 0) + component).logsumexp(1).mean();
    loss.backward();
    adam.step();
    adam.reset_gradients();
    if (it % 5 == 0) std::cout << it << " " << loss.item<double>() << std::endl;
  }
}
