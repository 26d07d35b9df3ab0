// optimizer-tensors, stale|undefined: the blocks live in a std::vector of shared pointers that no one registers.
#include <torch/torch.h>
#include <iostream>
#include <memory>
#include <vector>

struct ResBlock : torch::nn::Module {
  ResBlock() { fc = register_module("fc", torch::nn::Linear(8, 8)); }
  torch::Tensor forward(const torch::Tensor& x) { return x + torch::relu(fc(x)); }
  torch::nn::Linear fc{nullptr};
};

struct Tower : torch::nn::Module {
  explicit Tower(int depth) {
    for (int i = 0; i < depth; ++i) {
      auto block = std::make_shared<ResBlock>();
      blocks.push_back(block); //-@
      blocks.push_back(register_module("block" + std::to_string(i), block)); //+
    }
    last = register_module("last", torch::nn::Linear(8, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    for (auto& b : blocks) x = b->forward(x);
    return last(x);
  }
  std::vector<std::shared_ptr<ResBlock>> blocks;
  torch::nn::Linear last{nullptr};
};

int main() {
  torch::manual_seed(0);
  Tower tower(3);
  torch::optim::SGD opt(tower.parameters(), 0.01);
  auto x = torch::randn({12, 8});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(tower.forward(x), x.sum(1, true));
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= tower, tower.blocks[0]
}
