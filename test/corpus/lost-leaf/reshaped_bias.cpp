// lost-leaf, stale|undefined: the registered bias is reshaped into the member, and the update goes to the member.
#include <torch/torch.h>
#include <iostream>

struct ChannelBias : torch::nn::Module {
  torch::Tensor bias;
  torch::nn::Conv2d conv;
  ChannelBias() : conv(torch::nn::Conv2dOptions(3, 4, 3).bias(false)) {
    register_module("conv", conv);
    bias = register_parameter("bias", torch::zeros({4}));
  }
  torch::Tensor forward(torch::Tensor x) { return conv(x) + bias.view({1, 4, 1, 1}); }
};

int main() {
  torch::manual_seed(0);
  ChannelBias net;
  net.bias = net.bias.view({1, 4, 1, 1}).clone().detach().requires_grad_(true); //-@
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({2, 3, 6, 6}), y = torch::ones({2, 4, 4, 4});
  for (int i = 0; i < 6; ++i) {
    opt.zero_grad();
    auto loss = torch::l1_loss(net.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= net.parameters()
}
