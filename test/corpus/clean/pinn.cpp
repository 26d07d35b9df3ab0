// clean: a physics-informed net with second derivatives.
#include <torch/torch.h>
#include <iostream>

class Net : public torch::nn::Module {
 public:
  Net() {
    layers = register_module("layers", torch::nn::Sequential());
    int width = 2;
    for (int i = 0; i < 3; ++i) {
      layers->push_back(torch::nn::Linear(width, 20));
      layers->push_back(torch::nn::Tanh());
      width = 20;
    }
    layers->push_back(torch::nn::Linear(width, 1));
  }
  torch::Tensor forward(torch::Tensor x, torch::Tensor t) { return layers->forward(torch::cat({x, t}, 1)); }
  torch::nn::Sequential layers{nullptr};
};

torch::Tensor derivative(const torch::Tensor& y, const torch::Tensor& x) {
  return torch::autograd::grad({y}, {x}, {torch::ones_like(y)}, true, true, true)[0];
}

int main() {
  torch::manual_seed(0);
  Net u;
  torch::optim::Adam adam(u.parameters(), 1e-3);
  auto lambda = torch::tensor(1.0f);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::rand({20, 1}).requires_grad_(), t = torch::rand({20, 1}).requires_grad_();
    auto y = u.forward(x, t);
    auto y_t = derivative(y, t), y_x = derivative(y, x), y_xx = derivative(y_x, x);
    auto f = y_t + y * y_x - 0.01 * y_xx;
    auto residual = f.pow(2).mean();
    auto x0 = torch::rand({10, 1});
    auto initial = (u.forward(x0, torch::zeros_like(x0)) + torch::sin(M_PI * x0)).pow(2).mean();
    {
      torch::NoGradGuard guard;
      lambda = 0.9 * lambda + 0.1 * (residual / (initial + 1e-8));
    }
    auto loss = residual + lambda * initial;
    adam.zero_grad();
    loss.backward();
    adam.step();
    std::cout << loss.item<float>() << "\n";
  }
}
