// grad-mode, wrong: validation switches the model to eval() and nothing switches it back, so dropout is off from the second epoch on.
#include <torch/torch.h>
#include <iostream>

struct NetImpl : torch::nn::Module {
  NetImpl() {
    fc1 = register_module("fc1", torch::nn::Linear(10, 32));
    drop = register_module("drop", torch::nn::Dropout(0.4));
    fc2 = register_module("fc2", torch::nn::Linear(32, 3));
  }
  torch::Tensor forward(torch::Tensor x) { return fc2(drop(torch::relu(fc1(x)))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
  torch::nn::Dropout drop{nullptr};
};
TORCH_MODULE(Net);

double validate(Net net, torch::Tensor x, torch::Tensor y) {
  torch::NoGradGuard no_grad;
  net->eval(); //@
  return net(x).argmax(1).eq(y).to(torch::kFloat).mean().item<double>();
}

int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  auto x = torch::randn({32, 10}), vx = torch::randn({8, 10});
  auto y = torch::randint(0, 3, {32}), vy = torch::randint(0, 3, {8});
  net->train();
  for (int epoch = 0; epoch < 3; ++epoch) {
    net->train(); //+
    optimizer.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net(x), y);
    loss.backward();
    optimizer.step();
    std::cout << epoch << ": " << validate(net, vx, vy) << "\n";
  }
  //= net
}
