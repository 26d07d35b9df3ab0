// auxiliary-loss, wrong: the derivative of a physics-informed net is taken without create_graph, the residual does not train.
#include <torch/torch.h>
#include <iostream>

struct PINN : torch::nn::Module {
  PINN() {
    l1 = register_module("l1", torch::nn::Linear(1, 20));
    l2 = register_module("l2", torch::nn::Linear(20, 20));
    l3 = register_module("l3", torch::nn::Linear(20, 1));
  }
  torch::Tensor forward(torch::Tensor t) { return l3(torch::tanh(l2(torch::tanh(l1(t))))); }
  torch::nn::Linear l1{nullptr}, l2{nullptr}, l3{nullptr};
};

int main() {
  torch::manual_seed(0);
  PINN u;
  torch::optim::Adam opt(u.parameters(), 1e-3);
  auto t0 = torch::zeros({1, 1});
  for (int i = 0; i < 4; ++i) {
    auto t = torch::rand({30, 1}).set_requires_grad(true);
    auto y = u.forward(t);
    auto dy = torch::autograd::grad({y}, {t}, {torch::ones_like(y)}, true)[0]; //-@
    auto dy = torch::autograd::grad({y}, {t}, {torch::ones_like(y)}, true, true)[0]; //+
    auto residual = (dy + 2 * y).pow(2).mean();
    auto initial = (u.forward(t0) - 1).pow(2).mean();
    auto loss = residual + initial;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= u
}
