// lost-leaf, throws: the image that is optimised is cloned after requires_grad; an optimizer refuses it.
#include <torch/torch.h>
#include <iostream>

struct Features : torch::nn::Module {
  Features() { c = register_module("c", torch::nn::Conv2d(3, 4, 3)); }
  torch::Tensor forward(torch::Tensor x) { return torch::relu(c(x)); }
  torch::nn::Conv2d c{nullptr};
};

torch::Tensor gram(torch::Tensor f) {
  auto m = f.flatten(2).squeeze(0);
  return m.mm(m.t()) / m.numel();
}

int main() {
  torch::manual_seed(0);
  Features net;
  for (auto& p : net.parameters()) p.set_requires_grad(false);
  auto content = torch::rand({1, 3, 8, 8}), style = torch::rand({1, 3, 8, 8});
  auto fc = net.forward(content), gs = gram(net.forward(style));
  auto img = content.clone().requires_grad_(true).to(torch::kFloat64).to(torch::kFloat32); //-@
  auto img = content.clone().to(torch::kFloat64).to(torch::kFloat32).requires_grad_(true); //+
  torch::optim::Adam opt({img}, 0.02); //@
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto f = net.forward(img);
    auto loss = torch::mse_loss(f, fc) + 100 * torch::mse_loss(gram(f), gs);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= img
}
