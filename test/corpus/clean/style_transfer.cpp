// clean: an image is optimised; the network is frozen, the image is clamped through data between steps.
#include <torch/torch.h>
#include <iostream>

struct VggLike : torch::nn::Module {
  VggLike() {
    c1 = register_module("c1", torch::nn::Conv2d(3, 6, 3));
    c2 = register_module("c2", torch::nn::Conv2d(6, 8, 3));
  }
  std::vector<torch::Tensor> forward(torch::Tensor x) {
    std::vector<torch::Tensor> features;
    features.push_back(torch::relu(c1(x)));
    features.push_back(torch::relu(c2(features.back())));
    return features;
  }
  torch::nn::Conv2d c1{nullptr}, c2{nullptr};
};

torch::Tensor gram(const torch::Tensor& f) {
  auto v = f.view({f.size(1), -1});
  return v.mm(v.t()) / static_cast<double>(v.numel());
}

int main() {
  torch::manual_seed(0);
  VggLike vgg;
  vgg.eval();
  for (auto& p : vgg.parameters()) p.requires_grad_(false);
  auto content = torch::rand({1, 3, 10, 10}), style = torch::rand({1, 3, 10, 10});
  auto target = content.clone().requires_grad_(true);
  torch::optim::Adam opt(std::vector<torch::Tensor>{target}, torch::optim::AdamOptions(0.003).betas({0.5, 0.999}));
  auto content_features = vgg.forward(content), style_features = vgg.forward(style);
  for (int i = 0; i < 3; ++i) {
    auto features = vgg.forward(target);
    auto loss = torch::zeros({1});
    for (size_t l = 0; l < features.size(); ++l) {
      loss += torch::mse_loss(features[l], content_features[l]);
      loss += 100 * torch::mse_loss(gram(features[l]), gram(style_features[l]));
    }
    opt.zero_grad();
    loss.backward();
    opt.step();
    target.data().clamp_(0, 1);
    std::cout << loss.item<float>() << "\n";
  }
}
