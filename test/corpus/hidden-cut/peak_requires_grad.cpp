// hidden-cut, undefined: the heat map's peak is an index, and requires_grad(true) on it hides that nothing is connected.
#include <torch/torch.h>
#include <iostream>

struct PoseNetImpl : torch::nn::Module {
  PoseNetImpl() {
    features = register_module("features", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 6, 3).padding(1)));
    heat = register_module("heat", torch::nn::Conv2d(6, 4, 1));
    visible = register_module("visible", torch::nn::Linear(6, 4));
  }
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    auto f = torch::relu(features(x));
    return {heat(f), visible(f.mean({2, 3}))};
  }
  torch::nn::Conv2d features{nullptr}, heat{nullptr};
  torch::nn::Linear visible{nullptr};
};
TORCH_MODULE(PoseNet);

torch::Tensor coordinates(const torch::Tensor& heat) {
  auto b = heat.size(0), k = heat.size(1), w = heat.size(3);
  auto peak = heat.flatten(2).argmax(-1); //-@
  auto x = (peak % w).to(torch::kFloat); //-
  auto y = torch::floor_divide(peak, w).to(torch::kFloat); //-
  auto p = torch::softmax(heat.flatten(2), -1).view({b, k, -1, w}); //+
  auto x = (p.sum(2) * torch::arange(w)).sum(-1); //+
  auto y = (p.sum(3) * torch::arange(p.size(2))).sum(-1); //+
  return torch::stack({x, y}, -1).requires_grad_(true); //-@
  return torch::stack({x, y}, -1); //+
}

int main() {
  torch::manual_seed(44);
  PoseNet net;
  torch::optim::Adam opt(net->parameters(), 1e-3);
  auto images = torch::randn({3, 1, 12, 12});
  auto joints = torch::randint(0, 12, {3, 4, 2}).to(torch::kFloat);
  auto seen = torch::randint(0, 2, {3, 4}).to(torch::kFloat);
  for (int i = 0; i < 3; ++i) {
    auto [heat, visible] = net->forward(images);
    auto position = torch::mse_loss(coordinates(heat), joints);
    auto visibility = torch::binary_cross_entropy_with_logits(visible, seen);
    auto loss = position + visibility;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << position.item<float>() << ' ' << visibility.item<float>() << '\n';
  }
  //= net
}
