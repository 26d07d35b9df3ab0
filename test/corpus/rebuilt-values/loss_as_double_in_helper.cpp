// rebuilt-values, wrong: a helper returns the regulariser as double.
#include <torch/torch.h>
#include <iostream>

double smoothness(const torch::Tensor& field) { //-@
torch::Tensor smoothness(const torch::Tensor& field) { //+
  auto dx = field.slice(1, 1) - field.slice(1, 0, -1);
  return dx.abs().mean().item<double>(); //-@
  return dx.abs().mean(); //+
}

struct FlowNet : torch::nn::Module {
  FlowNet() { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(16, 32), torch::nn::ReLU(), torch::nn::Linear(32, 16))); }
  torch::Tensor forward(torch::Tensor x) { return net->forward(x); }
  torch::nn::Sequential net{nullptr};
};

int main() {
  torch::manual_seed(0);
  FlowNet flow;
  torch::optim::AdamW opt(flow.parameters(), 1e-3);
  auto x = torch::randn({4, 16}), y = torch::randn({4, 16});
  for (int i = 0; i < 3; ++i) {
    auto f = flow.forward(x);
    auto loss = torch::mse_loss(f, y) + 2.0 * smoothness(f);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= flow
}
