// lost-write, wrong: the function that standardises the inputs returns a new tensor, its caller ignores it.
#include <torch/torch.h>
#include <iostream>

namespace prep {
torch::Tensor standardise(const torch::Tensor& t) {
  auto mean = t.mean(0, true);
  auto dev = t.std(0, true, true);
  return (t - mean) / (dev + 1e-6);
}
}

struct Mlp : torch::nn::Module {
  Mlp() : hidden(register_module("hidden", torch::nn::Linear(4, 8))), out(register_module("out", torch::nn::Linear(8, 1))) {}
  torch::Tensor operator()(const torch::Tensor& x) { return out(torch::tanh(hidden(x))); }
  torch::nn::Linear hidden, out;
};

int main() {
  torch::manual_seed(9);
  Mlp mlp;
  torch::optim::SGD opt(mlp.parameters(), 0.05);
  auto data = torch::randn({64, 4}) * 10 + 3;
  auto label = (data.sum(1, true) > 12).to(torch::kFloat);
  prep::standardise(data); //-@
  data = prep::standardise(data); //+
  for (int epoch = 0; epoch < 4; ++epoch) {
    opt.zero_grad();
    auto loss = torch::binary_cross_entropy_with_logits(mlp(data), label);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= mlp
}
