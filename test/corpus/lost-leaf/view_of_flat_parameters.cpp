// lost-leaf, stale: the optimizer is given detached copies made by cat instead of the weights themselves.
#include <torch/torch.h>
#include <iostream>

struct Model {
  torch::Tensor W1 = torch::randn({4, 8}).mul_(0.3).requires_grad_();
  torch::Tensor W2 = torch::randn({8, 1}).mul_(0.3).requires_grad_();
  torch::Tensor operator()(torch::Tensor x) const { return torch::tanh(x.mm(W1)).mm(W2); }
};

int main() {
  torch::manual_seed(1);
  Model model;
  auto flat = torch::cat({model.W1.flatten(), model.W2.flatten()}).detach().requires_grad_(); //-@
  torch::optim::LBFGS opt({flat}, torch::optim::LBFGSOptions(0.5).max_iter(4)); //-@
  torch::optim::LBFGS opt({model.W1, model.W2}, torch::optim::LBFGSOptions(0.5).max_iter(4)); //+
  auto x = torch::randn({50, 4}), y = x.sum(1, true).sin();
  for (int i = 0; i < 5; ++i) {
    auto closure = [&]() {
      opt.zero_grad();
      auto loss = torch::mse_loss(model(x), y);
      loss.backward();
      return loss;
    };
    std::cout << opt.step(closure).item<float>() << "\n";
  }
  //= model.W1, model.W2
}
