// clean: a PINN with second derivatives and an unknown coefficient in a parameter group of its own.
#include <torch/torch.h>
#include <iostream>
#include <memory>

class Pinn : public torch::nn::Module {
 public:
  Pinn() {
    net = register_module("net", torch::nn::Sequential(torch::nn::Linear(1, 16), torch::nn::Tanh(), torch::nn::Linear(16, 16), torch::nn::Tanh(), torch::nn::Linear(16, 1)));
    omega = register_parameter("omega", torch::tensor({1.0}, torch::kFloat));
  }
  torch::Tensor forward(torch::Tensor t) { return net->forward(t); }
  torch::nn::Sequential net{nullptr};
  torch::Tensor omega;
};

torch::Tensor d(const torch::Tensor& y, const torch::Tensor& x) {
  return torch::autograd::grad({y}, {x}, {torch::ones_like(y)}, /*retain_graph=*/true, /*create_graph=*/true).front();
}

struct Losses {
  torch::Tensor data, physics, boundary;
  torch::Tensor total() const { return data + 1e-2 * physics + boundary; }
};

Losses evaluate(Pinn& model, const torch::Tensor& t_data, const torch::Tensor& x_data) {
  Losses l;
  l.data = torch::mse_loss(model.forward(t_data), x_data);
  auto t = torch::linspace(0, 2, 20).view({-1, 1}).requires_grad_(true);
  auto x = model.forward(t);
  auto v = d(x, t), a = d(v, t);
  l.physics = (a + model.omega.pow(2) * x).pow(2).mean();
  auto t0 = torch::zeros({1, 1}).requires_grad_(true);
  auto x0 = model.forward(t0);
  l.boundary = (x0 - 1).pow(2).sum() + d(x0, t0).pow(2).sum();
  return l;
}

int main() {
  torch::manual_seed(204);
  Pinn model;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.push_back(torch::optim::OptimizerParamGroup(model.net->parameters(), std::make_unique<torch::optim::AdamOptions>(1e-3)));
  groups.push_back(torch::optim::OptimizerParamGroup({model.omega}, std::make_unique<torch::optim::AdamOptions>(1e-2)));
  torch::optim::Adam opt(groups);
  auto t = torch::rand({12, 1}) * 2, x = torch::cos(2 * t);
  for (int i = 0; i < 6; ++i) {
    auto losses = evaluate(model, t, x);
    opt.zero_grad();
    losses.total().backward();
    opt.step();
    std::cout << losses.data.item<float>() << " " << losses.physics.item<float>() << " omega " << model.omega.item<float>() << "\n";
  }
  //= model
}
