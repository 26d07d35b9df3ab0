// clean: the residual is weighted by the size of a gradient, a constant by intent.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential u(torch::nn::Linear(1, 8), torch::nn::Tanh(), torch::nn::Linear(8, 1));
  torch::optim::Adam opt(u->parameters(), 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto t = torch::rand({10, 1}).set_requires_grad(true);
    auto y = u->forward(t);
    auto slope = torch::autograd::grad({y.sum()}, {t}, {}, true)[0];
    auto loss = (slope.abs() * (y - torch::sin(t.detach())).pow(2)).mean();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= u
}
