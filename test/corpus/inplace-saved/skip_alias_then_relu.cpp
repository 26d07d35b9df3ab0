// inplace-saved, wrong: the shortcut is a second name of the tensor that the in-place activation overwrites.
#include <torch/torch.h>
#include <iostream>

class Block : public torch::nn::Module {
 public:
  explicit Block(int64_t c) {
    conv_a = register_module("conv_a", torch::nn::Conv1d(torch::nn::Conv1dOptions(c, c, 3).padding(1)));
    conv_b = register_module("conv_b", torch::nn::Conv1d(torch::nn::Conv1dOptions(c, c, 3).padding(1)));
  }
  torch::Tensor forward(torch::Tensor in) {
    torch::Tensor pre = conv_a(in);
    torch::Tensor shortcut = pre;
    torch::Tensor act = torch::leaky_relu_(pre, 0.1); //-@
    torch::Tensor act = torch::leaky_relu(pre, 0.1); //+
    return torch::stack({conv_b(act), shortcut}).sum(0);
  }

 private:
  torch::nn::Conv1d conv_a{nullptr}, conv_b{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto block = std::make_shared<Block>(3);
  torch::optim::SGD opt(block->parameters(), 0.1);
  auto x = torch::randn({4, 3, 9});
  for (int i = 0; i < 3; ++i) {
    auto loss = (block->forward(x) - x).abs().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= block
}
