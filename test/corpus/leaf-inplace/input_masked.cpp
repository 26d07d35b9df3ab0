// leaf-inplace, throws: an input whose gradient is asked for is normalised in place.
#include <torch/torch.h>
#include <iostream>

struct Classifier : torch::nn::Module {
  Classifier() { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(16, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2))); }
  torch::Tensor forward(torch::Tensor x) {
    x.sub_(0.5).div_(0.25); //-@
    x = x.sub(0.5).div(0.25); //+
    return net->forward(x);
  }
  torch::nn::Sequential net{nullptr};
};

torch::Tensor fgsm(Classifier& model, torch::Tensor image, torch::Tensor label, double eps) {
  auto adv = image.clone().detach().requires_grad_(true);
  auto loss = torch::nn::functional::cross_entropy(model.forward(adv), label);
  loss.backward();
  return (adv + eps * adv.grad().sign()).clamp(0, 1).detach();
}

int main() {
  torch::manual_seed(0);
  Classifier model;
  model.eval();
  auto img = torch::rand({1, 16});
  auto label = torch::zeros({1}, torch::kLong);
  auto adv = fgsm(model, img, label, 0.1);
  std::cout << (adv - img).abs().max().item<float>() << "\n";
  //= adv
}
