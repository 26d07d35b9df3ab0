// lost-leaf, undefined: requires_grad is set before the conversion; the means that are fitted are no leaves.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

class GaussianMixture {
 public:
  GaussianMixture(const torch::Tensor& init, int64_t k) {
    means_ = init.slice(0, 0, k).clone().requires_grad_(true).to(torch::kDouble); //-@
    means_ = init.slice(0, 0, k).clone().to(torch::kDouble).requires_grad_(true); //+
    log_sigma_ = torch::zeros({k}, torch::dtype(torch::kDouble).requires_grad(true));
    logits_ = torch::zeros({k}, torch::dtype(torch::kDouble).requires_grad(true));
  }

  torch::Tensor nll(const torch::Tensor& x) const {
    auto distance = (x.unsqueeze(1) - means_.unsqueeze(0)).pow(2).sum(2);
    auto log_p = -0.5 * distance / (2 * log_sigma_).exp() - x.size(1) * (log_sigma_ + 0.5 * std::log(2 * M_PI));
    return -torch::logsumexp(log_p + torch::log_softmax(logits_, 0), 1).mean();
  }

  void fit(const torch::Tensor& x, int steps, double rate) {
    for (int i = 0; i < steps; ++i) {
      for (torch::Tensor* p : {&means_, &log_sigma_, &logits_})
        if (p->grad().defined()) p->grad().zero_();
      auto loss = nll(x);
      loss.backward();
      torch::NoGradGuard guard;
      for (torch::Tensor* p : {&means_, &log_sigma_, &logits_}) {
        if (!p->grad().defined()) continue;
        p->sub_(rate * p->grad());
      }
      if (i % 10 == 0) std::cout << i << ": " << loss.item<double>() << std::endl;
    }
  }

  std::vector<torch::Tensor> parameters() const { return {means_, log_sigma_, logits_}; }

 private:
  torch::Tensor means_, log_sigma_, logits_;
};

int main() {
  torch::manual_seed(19);
  auto x = torch::cat({torch::randn({30, 2}) + 2, torch::randn({30, 2}) - 2});
  GaussianMixture gm(x.index_select(0, torch::randperm(60)), 2);
  gm.fit(x.to(torch::kDouble), 21, 0.1);
  //= gm.parameters()
}
