// rebuilt-values, undefined: the system matrix is built from the numbers of the learned constants.
#include <torch/torch.h>
#include <iostream>

class SpringModel : public torch::nn::Module {
 public:
  SpringModel() {
    stiffness = register_parameter("stiffness", torch::tensor({1.0f}));
    damping = register_parameter("damping", torch::tensor({0.1f}));
    start = register_parameter("start", torch::tensor({1.0f, 0.0f}));
  }

  torch::Tensor matrix() const {
    float k = stiffness.item<float>(), c = damping.item<float>(); //-@
    return torch::tensor({0.0f, 1.0f, -k, -c}).view({2, 2}); //-@
    auto zero = torch::zeros({1}), one = torch::ones({1}); //+
    return torch::cat({zero, one, -stiffness, -damping}).view({2, 2}); //+
  }

  torch::Tensor rollout(int steps, double dt) const {
    auto a = matrix();
    auto state = start;
    std::vector<torch::Tensor> path;
    for (int i = 0; i < steps; ++i) {
      state = state + dt * a.mv(state);
      path.push_back(state[0]);
    }
    return torch::stack(path);
  }

  torch::Tensor stiffness, damping, start;
};

int main() {
  torch::manual_seed(119);
  SpringModel model;
  auto t = torch::arange(30) * 0.1;
  auto measured = torch::exp(-0.1 * t) * torch::cos(1.5 * t);
  torch::optim::Adam optimizer(model.parameters(), torch::optim::AdamOptions(0.02));
  for (int i = 0; i < 8; ++i) {
    optimizer.zero_grad();
    auto loss = torch::mse_loss(model.rollout(30, 0.1), measured);
    loss.backward();
    optimizer.step();
    std::cout << "loss " << loss.item<float>() << " k " << model.stiffness.item<float>() << "\n";
  }
  //= model
}
