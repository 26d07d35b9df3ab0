// snapshot, stale: the early-stopping helper stores the parameters themselves.
#include <torch/torch.h>
#include <iostream>
#include <vector>

class EarlyStopping {
 public:
  bool better(double v, const torch::nn::Module& m) {
    if (v >= best_) return false;
    best_ = v;
    weights_ = m.parameters(); //-@
    weights_.clear(); //+
    for (const auto& p : m.parameters()) weights_.push_back(p.detach().clone()); //+
    return true;
  }
  void restore(torch::nn::Module& m) const {
    torch::NoGradGuard g;
    auto p = m.parameters();
    for (size_t i = 0; i < p.size(); ++i) p[i].copy_(weights_[i]);
  }
 private:
  double best_ = 1e30;
  std::vector<torch::Tensor> weights_;
};

int main() {
  torch::manual_seed(0);
  torch::nn::Linear m(2, 1);
  torch::optim::SGD opt(m->parameters(), 1.5);
  EarlyStopping stop;
  auto x = torch::randn({16, 2}) * 2, y = x.sum(1, true);
  for (int i = 0; i < 6; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(m(x), y);
    stop.better(loss.item<double>(), *m);
    loss.backward();
    opt.step();
  }
  stop.restore(*m);
  std::cout << m->weight << "\n";
  //= m
}
