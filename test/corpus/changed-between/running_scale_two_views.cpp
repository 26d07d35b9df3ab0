// changed-between, throws: the running scale is a buffer updated in place by each call, and the first view's division saved it.
#include <torch/torch.h>
#include <iostream>

struct RunningScaleImpl : torch::nn::Module {
  explicit RunningScaleImpl(int64_t width) { scale = register_buffer("scale", torch::ones({width})); }
  torch::Tensor forward(const torch::Tensor& x) {
    if (is_training()) {
      torch::NoGradGuard no_grad;
      scale.mul_(0.9).add_(x.abs().mean(0), 0.1); //-@
      scale = 0.9 * scale + 0.1 * x.abs().mean(0); //+
    }
    return x / scale;
  }
  torch::Tensor scale;
};
TORCH_MODULE(RunningScale);

struct Projector : torch::nn::Module {
  torch::nn::Linear fc1{8, 16}, fc2{16, 4};
  RunningScale scale{16};
  Projector() {
    register_module("fc1", fc1);
    register_module("scale", scale);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc2(torch::tanh(scale(fc1(x)))); }
};

torch::Tensor barlow(const torch::Tensor& a, const torch::Tensor& b) {
  auto na = (a - a.mean(0)) / (a.std(0) + 1e-5), nb = (b - b.mean(0)) / (b.std(0) + 1e-5);
  auto c = na.t().mm(nb) / a.size(0);
  auto eye = torch::eye(c.size(0));
  return (c - eye).pow(2).mul(eye + 0.005 * (1 - eye)).sum();
}

int main() {
  torch::manual_seed(113);
  auto net = std::make_shared<Projector>();
  torch::optim::AdamW optimizer(net->parameters(), torch::optim::AdamWOptions(1e-3).weight_decay(1e-2));
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({24, 8});
    auto left = net->forward(x + 0.1 * torch::randn_like(x));
    auto right = net->forward(x + 0.1 * torch::randn_like(x));
    auto loss = barlow(left, right);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
