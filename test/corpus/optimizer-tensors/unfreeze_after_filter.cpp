// optimizer-tensors, stale: the optimizer took only what was trainable at the start; the trunk is unfrozen later and never stepped.
#include <torch/torch.h>
#include <cstdio>

namespace nn = torch::nn;

struct Backbone : nn::Module {
  nn::Conv2d c1{nullptr}, c2{nullptr};
  nn::BatchNorm2d bn{nullptr};
  Backbone() {
    c1 = register_module("c1", nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1)));
    bn = register_module("bn", nn::BatchNorm2d(8));
    c2 = register_module("c2", nn::Conv2d(nn::Conv2dOptions(8, 8, 3).stride(2)));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(bn(c1(x)));
    return torch::relu(c2(x)).mean({2, 3});
  }
};

struct Classifier : nn::Module {
  std::shared_ptr<Backbone> backbone = std::make_shared<Backbone>();
  nn::Linear head{8, 4};
  Classifier() {
    register_module("backbone", backbone);
    register_module("head", head);
  }
  torch::Tensor forward(const torch::Tensor& x) { return head(backbone->forward(x)); }
};

void set_trainable(nn::Module& m, bool on) {
  for (auto& p : m.parameters()) p.set_requires_grad(on);
}

std::vector<torch::Tensor> trainable(const nn::Module& m) {
  std::vector<torch::Tensor> result;
  for (auto& p : m.parameters())
    if (p.requires_grad()) result.push_back(p);
  return result;
}

int main() {
  torch::manual_seed(1);
  Classifier net;
  set_trainable(*net.backbone, false);
  auto opt = std::make_unique<torch::optim::SGD>(trainable(net), torch::optim::SGDOptions(0.05).momentum(0.9)); //@

  for (int epoch = 0; epoch < 6; ++epoch) {
    if (epoch == 3) {
      set_trainable(*net.backbone, true); //@
      opt = std::make_unique<torch::optim::SGD>(trainable(net), torch::optim::SGDOptions(0.01).momentum(0.9)); //+
    }
    auto images = torch::rand({8, 3, 12, 12});
    auto labels = (images.mean({1, 2, 3}) * 8).to(torch::kLong).clamp(0, 3);
    opt->zero_grad();
    auto loss = nn::functional::cross_entropy(net.forward(images), labels);
    loss.backward();
    opt->step();
    std::printf("epoch %d loss %.4f\n", epoch, loss.item<double>());
  }
  //= net
}
