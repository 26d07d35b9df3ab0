// auxiliary-loss, wrong: the time derivative in the residual of the heat equation is taken without create_graph.
#include <torch/torch.h>
#include <iostream>
using torch::Tensor;

struct Field : torch::nn::Module {
  Field() : body(torch::nn::Linear(2, 16), torch::nn::Tanh(), torch::nn::Linear(16, 1)) { register_module("body", body); }
  Tensor forward(Tensor xt) { return body->forward(xt); }
  torch::nn::Sequential body;
};

Tensor residual(Field& u, Tensor xt) {
  xt = xt.detach().requires_grad_(true);
  Tensor value = u.forward(xt);
  auto d = torch::autograd::grad({value.sum()}, {xt}, {}, /*retain_graph=*/true); //-@
  auto d = torch::autograd::grad({value.sum()}, {xt}, {}, /*retain_graph=*/true, /*create_graph=*/true); //+
  Tensor dt = d[0].select(1, 1);
  return (dt - 0.3 * value.squeeze(1)).square().mean();
}

int main() {
  torch::manual_seed(5);
  Field u;
  torch::optim::Adam opt(u.parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    Tensor xt = torch::rand({25, 2}), edge = torch::rand({5, 2});
    Tensor loss = residual(u, xt) + 10 * u.forward(edge).square().mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= u
}
