// changed-between, wrong: pruned weights are zeroed through data() after the forward pass and before backward.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

class Pruner {
 public:
  Pruner(const torch::nn::Module& m, double quantile) {
    for (const auto& p : m.named_parameters())
      if (p.value().dim() > 1) {
        auto magnitude = p.value().detach().abs();
        masks_[p.key()] = (magnitude > torch::quantile(magnitude.flatten(), quantile)).to(torch::kFloat);
      }
  }
  void apply(torch::nn::Module& m) const {
    for (auto& p : m.named_parameters()) {
      auto mask = masks_.find(p.key());
      if (mask != masks_.end()) p.value().data().mul_(mask->second); //@
    }
  }

 private:
  std::map<std::string, torch::Tensor> masks_;
};

struct Perceptron : torch::nn::Module {
  torch::nn::Linear a, b, c;
  Perceptron() : a(6, 24), b(24, 24), c(24, 3) {
    register_module("a", a);
    register_module("b", b);
    register_module("c", c);
  }
  torch::Tensor forward(torch::Tensor x) { return c(torch::relu(b(torch::relu(a(x))))); }
};

int main() {
  torch::manual_seed(112);
  Perceptron net;
  torch::optim::SGD optimizer(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  Pruner pruner(net, 0.5);
  for (int i = 0; i < 6; ++i) {
    auto x = torch::randn({16, 6});
    auto y = x.slice(1, 0, 3).argmax(1);
    optimizer.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
    pruner.apply(net); //-
    loss.backward();
    optimizer.step();
    pruner.apply(net); //+
    std::cout << "step " << i << " " << loss.item<float>() << std::endl;
  }
  //= net
}
