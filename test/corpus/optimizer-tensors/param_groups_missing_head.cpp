// optimizer-tensors, stale: parameter groups for fine-tuning leave the new head out.
#include <torch/torch.h>
#include <iostream>

struct Detector : torch::nn::Module {
  Detector() {
    body = register_module("body", torch::nn::Sequential(torch::nn::Conv2d(3, 6, 3), torch::nn::ReLU(), torch::nn::Conv2d(6, 6, 3), torch::nn::ReLU()));
    cls = register_module("cls", torch::nn::Conv2d(6, 4, 1));
    box = register_module("box", torch::nn::Conv2d(6, 4, 1));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    auto f = body->forward(x);
    return {cls(f), box(f)};
  }
  torch::nn::Sequential body{nullptr};
  torch::nn::Conv2d cls{nullptr}, box{nullptr};
};

int main() {
  torch::manual_seed(0);
  Detector net;
  std::vector<torch::optim::OptimizerParamGroup> groups; //@
  groups.emplace_back(net.body->parameters(), std::make_unique<torch::optim::SGDOptions>(1e-3));
  groups.emplace_back(net.cls->parameters(), std::make_unique<torch::optim::SGDOptions>(1e-2));
  groups.emplace_back(net.box->parameters(), std::make_unique<torch::optim::SGDOptions>(1e-2)); //+
  torch::optim::SGD opt(std::move(groups), torch::optim::SGDOptions(1e-2)); //@
  auto img = torch::randn({2, 3, 10, 10});
  auto y = torch::randint(0, 4, {2, 6, 6}), b = torch::rand({2, 4, 6, 6});
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto [c, r] = net.forward(img);
    auto loss = torch::nn::functional::cross_entropy(c, y) + torch::smooth_l1_loss(r, b);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net.box
}
