// graph-carried, throws: a running mean of the activations keeps the graph of every former step.
#include <torch/torch.h>
#include <iostream>

struct CenterNet : torch::nn::Module {
  CenterNet() {
    fc = register_module("fc", torch::nn::Linear(6, 4));
    center = torch::zeros({4});
  }
  torch::Tensor forward(torch::Tensor x) {
    auto z = torch::tanh(fc(x));
    center = 0.9 * center + 0.1 * z.mean(0); //-@
    center = 0.9 * center + 0.1 * z.mean(0).detach(); //+
    return z - center;
  }
  torch::nn::Linear fc{nullptr};
  torch::Tensor center;
};

int main() {
  torch::manual_seed(0);
  CenterNet net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto loss = net.forward(torch::randn({8, 6})).pow(2).mean();
    opt.zero_grad();
    loss.backward(); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
