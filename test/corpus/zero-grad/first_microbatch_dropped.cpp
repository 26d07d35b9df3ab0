// zero-grad, stale|wrong: gradients are zeroed behind the first backward of each group of micro batches, which is lost.
#include <torch/torch.h>
#include <iostream>

struct UpBlock : torch::nn::Module {
  UpBlock(int in, int out) {
    conv = register_module("conv", torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2)));
    norm = register_module("norm", torch::nn::InstanceNorm2d(torch::nn::InstanceNorm2dOptions(out).affine(true)));
  }
  torch::Tensor forward(const torch::Tensor& x) { return torch::elu(norm(conv(x))); }
  torch::nn::ConvTranspose2d conv{nullptr};
  torch::nn::InstanceNorm2d norm{nullptr};
};

struct Segmenter : torch::nn::Module {
  Segmenter() {
    down = register_module("down", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 6, 3).stride(2).padding(1)));
    up = register_module("up", std::make_shared<UpBlock>(6, 4));
    last = register_module("last", torch::nn::Conv2d(4, 1, 1));
  }
  torch::Tensor forward(const torch::Tensor& x) { return last(up->forward(torch::relu(down(x)))); }
  torch::nn::Conv2d down{nullptr}, last{nullptr};
  std::shared_ptr<UpBlock> up;
};

torch::Tensor dice_loss(const torch::Tensor& logits, const torch::Tensor& mask) {
  auto p = torch::sigmoid(logits);
  auto intersection = (p * mask).sum({1, 2, 3});
  auto size = p.sum({1, 2, 3}) + mask.sum({1, 2, 3});
  return 1 - ((2 * intersection + 1) / (size + 1)).mean();
}

int main() {
  torch::manual_seed(2);
  Segmenter model;
  torch::optim::Adam optimizer(model.parameters(), 1e-3);
  const int accumulate = 4;
  float running = 0;
  for (int i = 0; i < 16; i++) {
    auto x = torch::rand({2, 1, 16, 16});
    auto mask = (x > 0.6).to(torch::kFloat);
    auto loss = dice_loss(model.forward(x), mask) / accumulate;
    if (i % accumulate == 0) optimizer.zero_grad(); //+
    loss.backward();
    running += loss.item().toFloat();
    if (i % accumulate == 0) optimizer.zero_grad(); //-@
    if (i % accumulate == accumulate - 1) {
      optimizer.step();
      std::cout << "step " << i / accumulate << " dice " << running << std::endl;
      running = 0;
    }
  }
  //= model
}
