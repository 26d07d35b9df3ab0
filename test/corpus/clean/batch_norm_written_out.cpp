// clean: a batch norm of one's own: running statistics are buffers that are updated in place under a guard.
#include <torch/torch.h>
#include <iostream>

struct MyBatchNormImpl : torch::nn::Module {
  explicit MyBatchNormImpl(int64_t n) {
    gamma = register_parameter("gamma", torch::ones({n}));
    beta = register_parameter("beta", torch::zeros({n}));
    mean = register_buffer("mean", torch::zeros({n}));
    var = register_buffer("var", torch::ones({n}));
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor m = mean, v = var;
    if (is_training()) {
      m = x.mean(0);
      v = x.var(0, false);
      torch::NoGradGuard guard;
      mean.mul_(0.9).add_(m, 0.1);
      var.mul_(0.9).add_(v, 0.1);
    }
    return (x - m) / (v + 1e-5).sqrt() * gamma + beta;
  }
  torch::Tensor gamma, beta, mean, var;
};
TORCH_MODULE(MyBatchNorm);

int main() {
  torch::manual_seed(0);
  MyBatchNorm bn(5);
  torch::nn::Linear fc(5, 1);
  auto params = bn->parameters();
  for (const auto& p : fc->parameters()) params.push_back(p);
  torch::optim::SGD opt(params, 0.1);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({16, 5}) * 3 + 1;
    bn->train();
    auto loss = fc(bn->forward(x)).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    bn->eval();
    torch::NoGradGuard guard;
    std::cout << fc(bn->forward(x)).mean().item<float>() << "\n";
  }
}
