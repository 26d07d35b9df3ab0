// clean: training in stages; what is unfrozen gets into a new optimizer, the best state is kept as clones.
#include <torch/torch.h>
#include <iostream>
#include <limits>
#include <map>
#include <string>

struct Tower : torch::nn::Module {
  torch::nn::Linear stem{5, 12}, middle{12, 12}, head{12, 1};
  Tower() {
    register_module("stem", stem);
    register_module("middle", middle);
    register_module("head", head);
  }
  torch::Tensor forward(const torch::Tensor& x) { return head(torch::tanh(middle(torch::tanh(stem(x))))); }
};

class BestKeeper {
 public:
  bool offer(double loss, const torch::nn::Module& m) {
    if (loss >= best_) return false;
    best_ = loss;
    for (const auto& p : m.named_parameters()) weights_[p.key()] = p.value().detach().clone();
    return true;
  }
  void restore(torch::nn::Module& m) const {
    torch::NoGradGuard guard;
    for (auto& p : m.named_parameters()) p.value().copy_(weights_.at(p.key()));
  }

 private:
  double best_ = std::numeric_limits<double>::infinity();
  std::map<std::string, torch::Tensor> weights_;
};

double stage(Tower& net, torch::optim::Optimizer& opt, BestKeeper& keeper, const torch::Tensor& x, const torch::Tensor& y, int steps) {
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    auto loss = torch::mse_loss(net.forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    last = loss.item<double>();
    keeper.offer(last, net);
  }
  return last;
}

int main() {
  torch::manual_seed(8);
  Tower net;
  BestKeeper keeper;
  auto x = torch::randn({40, 5}), y = torch::sin(x.sum(1, true));
  for (auto& p : net.stem->parameters()) p.set_requires_grad(false);
  for (auto& p : net.middle->parameters()) p.set_requires_grad(false);
  {
    torch::optim::Adam head_only(net.head->parameters(), 1e-2);
    std::cout << "head " << stage(net, head_only, keeper, x, y, 4) << "\n";
  }
  for (auto& p : net.parameters()) p.set_requires_grad(true);
  torch::optim::SGD all(net.parameters(), torch::optim::SGDOptions(1e-2).momentum(0.9));
  torch::optim::StepLR schedule(all, 2, 0.5);
  for (int e = 0; e < 3; ++e) {
    std::cout << "all " << stage(net, all, keeper, x, y, 3) << "\n";
    schedule.step();
  }
  keeper.restore(net);
  //= net
}
