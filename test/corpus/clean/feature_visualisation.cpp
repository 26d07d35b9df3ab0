// clean: an image is optimised against a frozen net and clamped through data() after each step; a saliency map reads input gradients.
#include <torch/torch.h>
#include <iostream>

torch::nn::Sequential backbone() {
  torch::nn::Sequential net(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3)), torch::nn::ReLU(torch::nn::ReLUOptions().inplace(true)),
                            torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 4, 3)), torch::nn::AdaptiveAvgPool2d(1), torch::nn::Flatten());
  for (auto& p : net->parameters()) p.set_requires_grad(false);
  net->eval();
  return net;
}

torch::Tensor total_variation(const torch::Tensor& x) {
  auto h = x.slice(2, 1) - x.slice(2, 0, -1), w = x.slice(3, 1) - x.slice(3, 0, -1);
  return h.abs().mean() + w.abs().mean();
}

torch::Tensor saliency(torch::nn::Sequential& net, const torch::Tensor& image, int64_t unit) {
  auto input = image.detach().clone().requires_grad_(true);
  net->forward(input).select(1, unit).sum().backward();
  return std::get<0>(input.grad().abs().max(1));
}

int main() {
  torch::manual_seed(210);
  auto net = backbone();
  auto image = torch::rand({1, 3, 16, 16}).requires_grad_();
  torch::optim::Adam opt({image}, torch::optim::AdamOptions(0.05));
  torch::Tensor best;
  double best_value = -1e30;
  for (int i = 0; i < 6; ++i) {
    opt.zero_grad();
    auto activation = net->forward(image).select(1, 2).mean();
    auto loss = -activation + 0.1 * total_variation(image);
    loss.backward();
    image.mutable_grad().div_(image.grad().norm() + 1e-8);
    opt.step();
    image.data().clamp_(0, 1);
    if (activation.item<double>() > best_value) {
      best_value = activation.item<double>();
      best = image.detach().clone();
    }
  }
  auto map = saliency(net, best, 2);
  map.sub_(map.min()).div_(map.max() + 1e-8);
  std::cout << best_value << " " << map.mean().item<float>() << "\n";
  //= image
}
