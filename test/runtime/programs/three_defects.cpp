// Three defects, one of which throws before the others could show.
#include <torch/torch.h>

#include <torch_tidy/confirm.h>

#include <iostream>

struct NetImpl : torch::nn::Module {
  NetImpl()
      : encoder(register_module("encoder", torch::nn::Linear(4, 16))),
        gate(register_module("gate", torch::nn::Linear(4, 16))),
        head(register_module("head", torch::nn::Linear(16, 1))) {}

  torch::Tensor forward(const torch::Tensor &x) {
    torch::Tensor h = torch::relu(encoder(x));
    h.mul_(2);
    torch::Tensor g = torch::sigmoid(gate(x)).detach();
    torch::Tensor y = h * g;
    y.data().clamp_(-0.1, 0.1);
    return head(y);
  }

  torch::nn::Linear encoder, gate, head;
};
TORCH_MODULE(Net);

TORCH_TIDY_MODEL(three_defects) {
  Net net;
  torch::optim::AdamW optimizer(net->parameters(), 0.01);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  const auto y = torch::randn({8, 1}, torch_tidy::device());
  torch_tidy::train(net, optimizer, [=]() mutable { return torch::mse_loss(net->forward(x), y); });
}

int main() {
  Net net;
  std::cout << net->forward(torch::randn({2, 4})) << "\n";
}
