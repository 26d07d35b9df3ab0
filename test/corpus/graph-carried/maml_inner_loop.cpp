// graph-carried, throws: the fast weights of one task are the starting point of the next one.
#include <torch/torch.h>
#include <iostream>

torch::Tensor net(const torch::Tensor& x, const std::vector<torch::Tensor>& w) {
  return torch::relu(x.mm(w[0]) + w[1]).mm(w[2]) + w[3];
}

int main() {
  torch::manual_seed(0);
  std::vector<torch::Tensor> meta{torch::randn({1, 10}), torch::zeros({10}), torch::randn({10, 1}), torch::zeros({1})};
  for (auto& w : meta) w.requires_grad_();
  torch::optim::Adam opt(meta, 1e-3);
  std::vector<torch::Tensor> fast = meta; //-
  for (int task = 0; task < 3; ++task) {
    std::vector<torch::Tensor> fast = meta; //+
    auto x = torch::rand({10, 1}), y = torch::sin(x * (task + 1));
    auto inner = torch::mse_loss(net(x, fast), y);
    auto grads = torch::autograd::grad({inner}, fast, {}, true, true);
    for (size_t i = 0; i < fast.size(); ++i) fast[i] = fast[i] - 0.01 * grads[i]; //@
    auto outer = torch::mse_loss(net(torch::rand({10, 1}), fast), y);
    opt.zero_grad();
    outer.backward(); //@
    opt.step();
    std::cout << outer.item<float>() << "\n";
  }
  //= meta
}
