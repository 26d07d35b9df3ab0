// inplace-saved, throws: the centred input is divided in place after its square was taken for the variance.
#include <torch/torch.h>
#include <iostream>
#include <cmath>

template <int64_t Width>
struct MyLayerNorm : torch::nn::Module {
  MyLayerNorm() {
    gain = register_parameter("gain", torch::ones({Width}));
    shift = register_parameter("shift", torch::zeros({Width}));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto centred = x - x.mean(-1, true);
    auto variance = (centred * centred).mean(-1, true);
    centred /= (variance + eps).sqrt(); //-@
    centred = centred / (variance + eps).sqrt(); //+
    return centred * gain + shift;
  }
  torch::Tensor gain, shift;
  double eps = 1e-5;
};

struct Block : torch::nn::Module {
  Block() {
    norm = register_module("norm", std::make_shared<MyLayerNorm<12>>());
    up = register_module("up", torch::nn::Linear(12, 24));
    down = register_module("down", torch::nn::Linear(24, 12));
  }
  torch::Tensor forward(torch::Tensor x) { return x + down(torch::gelu(up(norm->forward(x)))); }
  std::shared_ptr<MyLayerNorm<12>> norm;
  torch::nn::Linear up{nullptr}, down{nullptr};
};

int main() {
  torch::manual_seed(10);
  torch::nn::Linear embed(5, 12);
  Block block;
  std::vector<torch::Tensor> params = embed->parameters();
  for (const auto& p : block.parameters()) params.push_back(p);
  torch::optim::AdamW opt(params, torch::optim::AdamWOptions(1e-3).weight_decay(0.01));
  auto tokens = torch::randn({4, 7, 5});
  for (int k = 0; k < 3; ++k) {
    auto out = block.forward(embed(tokens));
    auto loss = out.pow(2).mean() - out.mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << k << " " << loss.item<double>() << std::endl;
  }
  //= params
}
