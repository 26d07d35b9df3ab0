// Looks suspicious and is not: relu_ on a convolution-like sum that nobody saved.
#include <torch_tidy/confirm.h>

struct NetImpl : torch::nn::Module {
  NetImpl()
      : first(register_module("first", torch::nn::Linear(4, 8))),
        second(register_module("second", torch::nn::Linear(8, 1))) {}
  torch::Tensor forward(const torch::Tensor &x) {
    torch::Tensor h = first(x);
    h.relu_();
    return second(h);
  }
  torch::nn::Linear first, second;
};
TORCH_MODULE(Net);

TORCH_TIDY_MODEL(quiet) {
  Net net;
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  torch_tidy::train(net, [&](torch_tidy::Step &step) {
    optimizer.zero_grad();
    step.backward(net->forward(x).pow(2).mean());
    step.update(optimizer);
  });
}
