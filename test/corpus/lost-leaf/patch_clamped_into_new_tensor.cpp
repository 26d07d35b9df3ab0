// lost-leaf, throws: the adversarial patch is replaced by the clamped sum, which is no leaf in the second round.
#include <torch/torch.h>
#include <iostream>

struct Victim : torch::nn::Module {
  torch::nn::Sequential net;
  Victim() : net(torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3)), torch::nn::ReLU(), torch::nn::AdaptiveAvgPool2d(1), torch::nn::Flatten(), torch::nn::Linear(6, 4)) {
    register_module("net", net);
  }
  torch::Tensor forward(const torch::Tensor& x) { return torch::log_softmax(net->forward(x), 1); }
};

torch::Tensor paste(const torch::Tensor& images, const torch::Tensor& patch) {
  auto result = images.clone();
  auto n = patch.size(1);
  result.slice(2, 2, 2 + n).slice(3, 2, 2 + n).copy_(patch.unsqueeze(0).expand({images.size(0), 3, n, n}));
  return result;
}

int main() {
  torch::manual_seed(116);
  Victim victim;
  victim.eval();
  for (auto& p : victim.parameters()) p.requires_grad_(false);
  auto images = torch::rand({5, 3, 12, 12});
  auto target = torch::full({5}, 2, torch::kLong);
  torch::Tensor patch = torch::rand({3, 4, 4}, torch::requires_grad());
  const float step = 0.05f;
  for (int i = 0; i < 6; ++i) {
    auto loss = torch::nll_loss(victim.forward(paste(images, patch)), target);
    loss.backward();
    auto direction = patch.grad().sign(); //@
    patch = torch::clamp(patch - step * direction, 0, 1); //-@
    patch = torch::clamp(patch - step * direction, 0, 1).detach().requires_grad_(true); //+
    std::cout << "attack " << i << " " << loss.item<float>() << "\n";
  }
  //= patch
}
