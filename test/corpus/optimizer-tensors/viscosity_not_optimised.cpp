// optimizer-tensors, stale: the unknown coefficient of the inverse problem requires grad, but no optimizer has it.
#include <torch/torch.h>
#include <iostream>

using torch::autograd::grad;

struct Field : torch::nn::Module {
  torch::nn::Sequential net;
  Field() : net(torch::nn::Linear(2, 20), torch::nn::Tanh(), torch::nn::Linear(20, 20), torch::nn::Tanh(), torch::nn::Linear(20, 1)) {
    register_module("net", net);
  }
  torch::Tensor operator()(const torch::Tensor& x, const torch::Tensor& t) { return net->forward(torch::cat({x, t}, 1)); }
};

struct InverseProblem {
  Field u;
  torch::Tensor viscosity = torch::tensor(0.5f).requires_grad_(true);

  torch::Tensor derivative(const torch::Tensor& y, const torch::Tensor& x) {
    return grad({y}, {x}, {torch::ones_like(y)}, true, true)[0];
  }

  torch::Tensor residual(int64_t n) {
    auto x = torch::rand({n, 1}).requires_grad_(true);
    auto t = torch::rand({n, 1}).requires_grad_(true);
    auto y = u(x, t);
    auto y_x = derivative(y, x);
    return (derivative(y, t) + y * y_x - viscosity * derivative(y_x, x)).pow(2).mean();
  }

  torch::Tensor data_loss(const torch::Tensor& x, const torch::Tensor& t, const torch::Tensor& observed) {
    return torch::mse_loss(u(x, t), observed);
  }

  std::vector<torch::Tensor> unknowns() { return {viscosity}; }
};

int main() {
  torch::manual_seed(100);
  InverseProblem problem;
  auto x = torch::rand({30, 1}), t = torch::rand({30, 1});
  auto observed = torch::sin(M_PI * x) * torch::exp(-t);
  torch::optim::Adam opt(problem.u.parameters(), 1e-3); //@
  opt.add_param_group(torch::optim::OptimizerParamGroup(problem.unknowns())); //+
  for (int it = 0; it < 5; ++it) {
    opt.zero_grad();
    auto loss = problem.data_loss(x, t, observed) + 0.1 * problem.residual(16);
    loss.backward();
    opt.step();
    std::cout << it << " loss " << loss.item<float>() << " nu " << problem.viscosity.item<float>() << "\n";
  }
  //= problem.u, problem.viscosity
}
