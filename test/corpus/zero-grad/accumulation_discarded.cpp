// zero-grad, stale|wrong: zero_grad in every micro batch throws the accumulated gradients away.
#include <torch/torch.h>
#include <iostream>

struct Classifier : torch::nn::Module {
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Linear fc{nullptr};
  Classifier() {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).padding(1)));
    fc = register_module("fc", torch::nn::Linear(4 * 8 * 8, 3));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::leaky_relu(conv(x), 0.1);
    return fc(x.flatten(1));
  }
};

int main() {
  torch::manual_seed(5);
  const int accumulation_steps = 4;
  Classifier model;
  torch::optim::AdamW optimizer(model.parameters(), torch::optim::AdamWOptions(1e-3));
  auto images = torch::randn({16, 1, 8, 8});
  auto labels = torch::randint(0, 3, {16});
  optimizer.zero_grad();
  for (int step = 0; step < 12; ++step) {
    auto idx = torch::arange((step % 4) * 4, (step % 4) * 4 + 4);
    optimizer.zero_grad(); //-@
    auto loss = torch::cross_entropy_loss(model.forward(images.index_select(0, idx)), labels.index_select(0, idx));
    (loss / accumulation_steps).backward();
    if ((step + 1) % accumulation_steps == 0) {
      optimizer.step();
      optimizer.zero_grad(); //+
      std::cout << "step " << step << " loss " << loss.item<float>() << std::endl;
    }
  }
  //= model
}
