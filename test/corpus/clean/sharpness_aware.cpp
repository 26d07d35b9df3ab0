// clean: sharpness-aware minimisation moves the weights between two backward passes and takes them back before the step.
#include <torch/torch.h>
#include <functional>
#include <iostream>
#include <vector>

class SAM {
 public:
  SAM(std::vector<torch::Tensor> params, double lr, double rho) : params_(params), base_(params, torch::optim::SGDOptions(lr).momentum(0.9)), rho_(rho) {}

  void step(const std::function<torch::Tensor()>& closure) {
    base_.zero_grad();
    closure().backward();
    ascend();
    base_.zero_grad();
    closure().backward();
    restore();
    base_.step();
  }

 private:
  void ascend() {
    torch::NoGradGuard guard;
    auto norm = torch::zeros({});
    for (auto& p : params_)
      if (p.grad().defined()) norm += p.grad().pow(2).sum();
    norm.sqrt_();
    moves_.clear();
    for (auto& p : params_) {
      auto e = p.grad() * (rho_ / (norm + 1e-12));
      p.add_(e);
      moves_.push_back(e);
    }
  }
  void restore() {
    torch::NoGradGuard guard;
    for (size_t i = 0; i < params_.size(); ++i) params_[i].sub_(moves_[i]);
  }

  std::vector<torch::Tensor> params_, moves_;
  torch::optim::SGD base_;
  double rho_;
};

struct SmallNet : torch::nn::Module {
  torch::nn::Linear a, b;
  SmallNet() : a(register_module("a", torch::nn::Linear(4, 16))), b(register_module("b", torch::nn::Linear(16, 2))) {}
  torch::Tensor forward(const torch::Tensor& x) { return b(torch::gelu(a(x))); }
};

int main() {
  torch::manual_seed(7);
  SmallNet net;
  SAM sam(net.parameters(), 0.1, 0.05);
  for (int i = 0; i < 6; ++i) {
    auto x = torch::randn({16, 4});
    auto y = (x.select(1, 0) * x.select(1, 1) > 0).to(torch::kLong);
    double shown = 0;
    sam.step([&] {
      auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
      shown = loss.item<double>();
      return loss;
    });
    std::cout << i << " " << shown << std::endl;
  }
  //= net
}
