// graph-carried, throws: the simulated cart goes on from the state of the last control step, with its graph.
#include <torch/torch.h>
#include <iostream>

torch::nn::Sequential controller() {
  return torch::nn::Sequential(torch::nn::Linear(2, 20), torch::nn::Softplus(), torch::nn::Linear(20, 1), torch::nn::Tanh());
}

int main() {
  torch::manual_seed(6);
  auto policy = controller();
  auto opt = torch::optim::Adam(policy->parameters(), 1e-2);

  auto position = torch::rand({16, 1}) * 2 - 1;
  auto velocity = torch::zeros({16, 1});
  const double dt = 0.05;

  auto integrate = [&](const torch::Tensor& force) {
    velocity = velocity + dt * (force - 0.1 * velocity); //@
    position = position + dt * velocity; //@
  };

  auto cost_of = [&](int horizon) {
    torch::Tensor cost = torch::zeros({});
    for (int k = 0; k < horizon; ++k) {
      auto force = policy->forward(torch::cat({position, velocity}, 1));
      integrate(force);
      cost = cost + position.square().mean() + 0.01 * force.square().mean();
    }
    return cost;
  };

  for (int episode = 0; episode < 5; ++episode) {
    position = position.detach(); //+
    velocity = velocity.detach(); //+
    opt.zero_grad();
    auto cost = cost_of(8);
    cost.backward();
    opt.step();
    std::cout << "episode " << episode << " cost " << cost.item<double>() << "\n";
  }
  //= policy
}
