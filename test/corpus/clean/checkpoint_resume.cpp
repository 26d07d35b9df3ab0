// clean: model and optimizer are saved and loaded; the optimizer is made after loading.
#include <torch/torch.h>
#include <iostream>
#include <sstream>

struct NetImpl : torch::nn::Module {
  NetImpl() { l = register_module("l", torch::nn::Linear(3, 3)); bn = register_module("bn", torch::nn::BatchNorm1d(3)); }
  torch::Tensor forward(torch::Tensor x) { return bn(l(x)); }
  torch::nn::Linear l{nullptr};
  torch::nn::BatchNorm1d bn{nullptr};
};
TORCH_MODULE(Net);

double train(Net& net, torch::optim::Optimizer& opt, int steps) {
  double last = 0;
  net->train();
  while (steps-- > 0) {
    auto x = torch::randn({8, 3});
    auto loss = torch::mse_loss(net->forward(x), x);
    opt.zero_grad();
    loss.backward();
    opt.step();
    last = loss.item<double>();
  }
  return last;
}

int main() {
  torch::manual_seed(0);
  std::stringstream model_file, optimizer_file;
  {
    Net net;
    torch::optim::Adam opt(net->parameters(), 1e-2);
    train(net, opt, 3);
    torch::save(net, model_file);
    torch::save(opt, optimizer_file);
  }
  Net net;
  torch::load(net, model_file);
  torch::optim::Adam opt(net->parameters(), 1e-2);
  torch::load(opt, optimizer_file);
  std::cout << train(net, opt, 3) << "\n";
}
