// optimizer-tensors, stale: the scale is a plain tensor member that requires grad but is not registered.
#include <torch/torch.h>
#include <cstdio>

struct ScaledNet : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  torch::Tensor scale;

  ScaledNet() {
    a = register_module("a", torch::nn::Linear(8, 8));
    b = register_module("b", torch::nn::Linear(8, 2));
    scale = torch::ones({8}, torch::requires_grad()); //-@
    scale = register_parameter("scale", torch::ones({8})); //+
  }

  torch::Tensor forward(const torch::Tensor& x) {
    return b(torch::relu(a(x)) * scale);
  }
};

int main() {
  torch::manual_seed(3);
  ScaledNet net;
  torch::optim::SGD sgd(net.parameters(), 0.1);
  auto x = torch::randn({32, 8}), y = torch::randn({32, 2});
  for (int i = 0; i < 10; ++i) {
    sgd.zero_grad();
    auto loss = (net.forward(x) - y).square().mean();
    loss.backward();
    sgd.step();
    printf("%d %.5f\n", i, loss.item<float>());
  }
  //= net.scale, net.b
}
