// rebuilt-values, throws: the batch loss is rebuilt from numbers.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Ranker : torch::nn::Module {
  Ranker() { fc = register_module("fc", torch::nn::Linear(5, 1)); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
  torch::nn::Linear fc{nullptr};
};

int main() {
  torch::manual_seed(0);
  Ranker net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int it = 0; it < 3; ++it) {
    std::vector<float> losses; //-
    std::vector<torch::Tensor> losses; //+
    for (int i = 0; i < 4; ++i) {
      auto pos = net.forward(torch::randn({1, 5}) + 1), neg = net.forward(torch::randn({1, 5}));
      auto l = torch::relu(1 - pos + neg).mean();
      losses.push_back(l.item<float>()); //-@
      losses.push_back(l); //+
    }
    auto loss = torch::tensor(losses).mean(); //-@
    auto loss = torch::stack(losses).mean(); //+
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
