// zero-grad, stale: the gradients of the weights are cleared by hand, those of the biases are not.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Layer {
  torch::Tensor w, b;
  torch::Tensor operator()(const torch::Tensor& x) const { return torch::addmm(b, x, w); }
};

static Layer make_layer(int64_t in, int64_t out) {
  Layer layer;
  layer.w = (torch::randn({in, out}) / std::sqrt(double(in))).requires_grad_();
  layer.b = torch::zeros({out}, torch::requires_grad());
  return layer;
}

static torch::Tensor predict(const std::vector<Layer>& net, torch::Tensor h) {
  for (size_t i = 0; i + 1 < net.size(); ++i) h = torch::relu(net[i](h));
  return net.back()(h);
}

static void descend(std::vector<Layer>& net, double rate) {
  torch::NoGradGuard guard;
  for (Layer& layer : net) {
    layer.w -= rate * layer.w.grad();
    layer.b -= rate * layer.b.grad();
    layer.w.mutable_grad().zero_();
    layer.b.mutable_grad().zero_(); //+
  }
}

int main() {
  torch::manual_seed(5);
  std::vector<Layer> net{make_layer(3, 16), make_layer(16, 16), make_layer(16, 2)};
  auto data = torch::randn({50, 3});
  auto target = torch::stack({data.sum(1), data.prod(1)}, 1);
  for (int epoch = 0; epoch < 20; ++epoch) {
    auto loss = (predict(net, data) - target).square().mean();
    loss.backward(); //@
    descend(net, 0.05);
    if (epoch % 5 == 0) std::cout << epoch << ": " << loss.item<float>() << "\n";
  }
  //= net[0].w, net[0].b
  //= net[2].b
}
