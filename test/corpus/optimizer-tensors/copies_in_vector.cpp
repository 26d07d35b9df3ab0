// optimizer-tensors, stale: the optimizer is given clones of the parameters.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Net : torch::nn::Module {
  Net() { fc1 = register_module("fc1", torch::nn::Linear(7, 14)); fc2 = register_module("fc2", torch::nn::Linear(14, 1)); }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

static std::vector<torch::Tensor> trainable(const torch::nn::Module& m) {
  std::vector<torch::Tensor> out;
  for (const auto& p : m.parameters()) {
    if (!p.requires_grad()) continue;
    out.push_back(p.clone().detach().requires_grad_(true)); //-@
    out.push_back(p); //+
  }
  return out;
}

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::Adam opt(trainable(net), torch::optim::AdamOptions(0.01));
  auto x = torch::randn({32, 7}), y = torch::randn({32, 1});
  for (int i = 0; i < 5; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= net
}
