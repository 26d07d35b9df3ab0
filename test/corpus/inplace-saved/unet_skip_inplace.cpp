// inplace-saved, wrong: the in-place activation changes the skip connection that was kept before it.
#include <torch/torch.h>
#include <iostream>

struct UNet : torch::nn::Module {
  UNet() {
    down = register_module("down", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3).padding(1)));
    mid = register_module("mid", torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 4, 3).padding(1)));
    up = register_module("up", torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 1, 3).padding(1)));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto d = down(x);
    auto skip = d;
    auto m = torch::relu_(d); //-@
    auto m = torch::relu(d); //+
    m = torch::relu(mid(m));
    return up(torch::cat({m, skip}, 1));
  }
  torch::nn::Conv2d down{nullptr}, mid{nullptr}, up{nullptr};
};

int main() {
  torch::manual_seed(0);
  UNet net;
  torch::optim::SGD opt(net.parameters(), 0.05);
  auto x = torch::randn({2, 1, 8, 8}), y = torch::rand({2, 1, 8, 8});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::nn::functional::l1_loss(net.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
