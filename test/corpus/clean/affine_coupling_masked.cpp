// clean: a flow of masked couplings; what is written in place is a fresh tensor, sampling runs the inverse under a guard.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

class Coupling : public torch::nn::Module {
 public:
  Coupling(torch::Tensor mask) {
    mask_ = register_buffer("mask", mask);
    net_ = register_module("net", torch::nn::Sequential(torch::nn::Linear(4, 24), torch::nn::Tanh(), torch::nn::Linear(24, 8)));
  }
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& x) {
    auto st = net_->forward(x * mask_).chunk(2, 1);
    auto s = torch::tanh(st[0]) * (1 - mask_), t = st[1] * (1 - mask_);
    auto y = x.clone();
    y.mul_(s.exp());
    y.add_(t);
    return {y, s.sum(1)};
  }
  torch::Tensor inverse(torch::Tensor y) {
    auto st = net_->forward(y * mask_).chunk(2, 1);
    auto s = torch::tanh(st[0]).mul_(1 - mask_), t = st[1].mul_(1 - mask_);
    return (y - t).mul_((-s).exp_());
  }

 private:
  torch::Tensor mask_;
  torch::nn::Sequential net_{nullptr};
};

int main() {
  torch::manual_seed(15);
  std::vector<std::shared_ptr<Coupling>> flow;
  std::vector<torch::Tensor> params;
  for (int i = 0; i < 4; ++i) {
    auto mask = torch::zeros({4});
    mask.index_put_({torch::indexing::Slice(i % 2, torch::indexing::None, 2)}, 1.0);
    flow.push_back(std::make_shared<Coupling>(mask));
    auto own = flow.back()->parameters();
    params.insert(params.end(), own.begin(), own.end());
  }
  torch::optim::Adam opt(params, 2e-3);
  auto data = torch::randn({64, 4});
  data.select(1, 1).add_(data.select(1, 0).pow(2));
  for (int step = 0; step < 5; ++step) {
    auto z = data;
    auto log_det = torch::zeros({64});
    for (auto& layer : flow) {
      auto [next, ld] = layer->forward(z);
      z = next;
      log_det += ld;
    }
    auto nll = (0.5 * z.pow(2).sum(1) + 2 * std::log(2 * M_PI) - log_det).mean();
    opt.zero_grad();
    nll.backward();
    opt.step();
    std::cout << nll.item<float>() << '\n';
  }
  torch::NoGradGuard guard;
  auto sample = torch::randn({5, 4});
  for (auto it = flow.rbegin(); it != flow.rend(); ++it) sample = (*it)->inverse(sample);
  std::cout << sample << std::endl;
}
