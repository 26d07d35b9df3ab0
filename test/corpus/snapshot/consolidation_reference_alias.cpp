// snapshot, wrong|zero|stale: the weights of the first task are kept as handles, so the consolidation penalty is always zero.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

struct Net : torch::nn::Module {
  Net() : fc1(4, 16), fc2(16, 2) {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(torch::tanh(fc1(x))); }
  torch::nn::Linear fc1, fc2;
};

class Consolidation {
 public:
  void remember(Net& net, const torch::Tensor& x, const torch::Tensor& y) {
    net.zero_grad();
    torch::nn::functional::cross_entropy(net.forward(x), y).backward();
    for (auto& p : net.named_parameters()) {
      importance_[p.key()] = p.value().grad().detach().clone().pow_(2);
      reference_[p.key()] = p.value().detach(); //-@
      reference_[p.key()] = p.value().detach().clone(); //+
    }
    net.zero_grad();
  }
  torch::Tensor penalty(const Net& net) const {
    torch::Tensor total = torch::zeros({});
    for (const auto& p : net.named_parameters()) {
      auto found = reference_.find(p.key());
      if (found == reference_.end()) continue;
      total = total + (importance_.at(p.key()) * (p.value() - found->second).pow(2)).sum();
    }
    return total;
  }

 private:
  std::map<std::string, torch::Tensor> importance_, reference_;
};

void learn(Net& net, torch::optim::Optimizer& opt, const Consolidation& ewc, const torch::Tensor& x, const torch::Tensor& y) {
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y) + 500 * ewc.penalty(net);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}

int main() {
  torch::manual_seed(122);
  Net net;
  Consolidation ewc;
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({30, 4});
  auto first = (x.select(1, 0) > 0).to(torch::kLong), second = (x.select(1, 1) > 0).to(torch::kLong);
  learn(net, opt, ewc, x, first);
  ewc.remember(net, x, first);
  learn(net, opt, ewc, x, second);
  //= net
}
