// hidden-cut, undefined: the output is detached for a post-processing step and given requires_grad again.
#include <torch/torch.h>
#include <iostream>

struct Enhance : torch::nn::Module {
  Enhance() { c1 = register_module("c1", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 3, 3).padding(1))); c2 = register_module("c2", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 1, 3).padding(1))); }
  torch::Tensor forward(torch::Tensor x) { return c2(torch::relu(c1(x))); }
  torch::nn::Conv2d c1{nullptr}, c2{nullptr};
};

torch::Tensor postprocess(torch::Tensor img) {
  auto out = img.detach().clone(); //-@
  auto out = img.clone(); //+
  out = out.clamp(-2, 2);
  return out.set_requires_grad(true); //-
  return out; //+
}

int main() {
  torch::manual_seed(0);
  Enhance net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  auto x = torch::rand({1, 1, 8, 8}), y = torch::rand({1, 1, 8, 8});
  for (int i = 0; i < 3; ++i) {
    auto loss = torch::mse_loss(postprocess(net.forward(x)), y);
    opt.zero_grad();
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
