// inplace-saved, throws: the coupling layer scales one half of x in place, whose other half its networks have saved.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
#include <vector>

class CouplingImpl : public torch::nn::Module {
 public:
  CouplingImpl(int64_t dim, bool swap) : half_(dim / 2), swap_(swap) {
    s_ = register_module("s", torch::nn::Sequential(torch::nn::Linear(half_, 16), torch::nn::Tanh(), torch::nn::Linear(16, half_)));
    t_ = register_module("t", torch::nn::Sequential(torch::nn::Linear(half_, 16), torch::nn::Tanh(), torch::nn::Linear(16, half_)));
  }

  torch::Tensor forward(torch::Tensor& x) {
    auto a = x.narrow(1, swap_ ? half_ : 0, half_);
    auto b = x.narrow(1, swap_ ? 0 : half_, half_);
    auto s = torch::tanh(s_->forward(a));
    auto t = t_->forward(a);
    b.mul_(s.exp()).add_(t); //-@
    auto moved = b * s.exp() + t; //+
    x = swap_ ? torch::cat({moved, a}, 1) : torch::cat({a, moved}, 1); //+
    return s.sum(1);
  }

 private:
  int64_t half_;
  bool swap_;
  torch::nn::Sequential s_{nullptr}, t_{nullptr};
};
TORCH_MODULE(Coupling);

class RealNVPImpl : public torch::nn::Module {
 public:
  RealNVPImpl(int64_t dim, int depth) {
    for (int i = 0; i < depth; ++i) layers_.push_back(register_module("layer" + std::to_string(i), Coupling(dim, i % 2 == 1)));
  }
  torch::Tensor log_prob(const torch::Tensor& x) {
    auto z = x.clone();
    auto log_det = torch::zeros({x.size(0)});
    for (auto& layer : layers_) log_det = log_det + layer->forward(z);
    return log_det - 0.5 * z.pow(2).sum(1) - 0.5 * z.size(1) * std::log(2 * M_PI);
  }

 private:
  std::vector<Coupling> layers_;
};
TORCH_MODULE(RealNVP);

int main() {
  torch::manual_seed(4);
  RealNVP flow(4, 4);
  torch::optim::Adam opt(flow->parameters(), 1e-3);
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({32, 4});
    x = torch::stack({x.select(1, 0), x.select(1, 1) * 0.3 + x.select(1, 0).pow(2), x.select(1, 2), x.select(1, 3)}, 1);
    auto nll = -flow->log_prob(x).mean();
    opt.zero_grad();
    nll.backward();
    opt.step();
    std::cout << "nll " << nll.item<float>() << "\n";
  }
  //= flow
}
