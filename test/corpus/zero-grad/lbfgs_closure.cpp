// zero-grad, stale: the LBFGS closure does not zero the gradients.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model(torch::nn::Linear(1, 10), torch::nn::Tanh(), torch::nn::Linear(10, 1));
  model->to(torch::kFloat64);
  auto x = torch::linspace(0, 1, 40, torch::kFloat64).unsqueeze(1);
  auto y = torch::cos(4 * x);
  torch::optim::LBFGS optimizer(model->parameters(), torch::optim::LBFGSOptions(0.1).max_iter(3));
  for (int i = 0; i < 4; ++i) {
    auto loss = optimizer.step([&]() -> torch::Tensor {
      optimizer.zero_grad(); //+
      auto l = torch::mse_loss(model->forward(x), y);
      l.backward(); //@
      return l;
    }); //@
    std::cout << i << " " << loss.item<double>() << "\n";
  }
  //= model
}
