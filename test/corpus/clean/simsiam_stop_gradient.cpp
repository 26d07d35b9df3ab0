// clean: SimSiam, where the targets are detached inside the similarity function and two views share one network.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

struct SimSiamImpl : torch::nn::Module {
  SimSiamImpl() {
    encoder = register_module("encoder", torch::nn::Sequential(
        torch::nn::Linear(12, 32), torch::nn::BatchNorm1d(32), torch::nn::ReLU(torch::nn::ReLUOptions(true)), torch::nn::Linear(32, 16)));
    predictor = register_module("predictor", torch::nn::Sequential(
        torch::nn::Linear(16, 8), torch::nn::BatchNorm1d(8), torch::nn::ReLU(torch::nn::ReLUOptions(true)), torch::nn::Linear(8, 16)));
  }
  static torch::Tensor distance(const torch::Tensor& p, torch::Tensor z) {
    z = z.detach();
    return -(F::normalize(p, F::NormalizeFuncOptions().dim(1)) * F::normalize(z, F::NormalizeFuncOptions().dim(1))).sum(1).mean();
  }
  torch::Tensor forward(const torch::Tensor& a, const torch::Tensor& b) {
    auto za = encoder->forward(a), zb = encoder->forward(b);
    auto pa = predictor->forward(za), pb = predictor->forward(zb);
    return distance(pa, zb) / 2 + distance(pb, za) / 2;
  }
  double collapse(const torch::Tensor& x) {
    torch::NoGradGuard guard;
    eval();
    auto z = F::normalize(encoder->forward(x), F::NormalizeFuncOptions().dim(1));
    train();
    return z.std(0).mean().item<double>();
  }
  torch::nn::Sequential encoder{nullptr}, predictor{nullptr};
};
TORCH_MODULE(SimSiam);

torch::Tensor augment(const torch::Tensor& x) {
  auto y = x.clone();
  y.add_(torch::randn_like(y) * 0.1);
  y.masked_fill_(torch::rand_like(y) < 0.2, 0);
  return y;
}

int main() {
  torch::manual_seed(30);
  SimSiam model;
  torch::optim::SGD opt(model->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9).weight_decay(1e-4));
  torch::optim::StepLR schedule(opt, 2, 0.5);
  auto x = torch::randn({48, 12});
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (const auto& batch : x.split(16)) {
      auto loss = model->forward(augment(batch), augment(batch));
      opt.zero_grad();
      loss.backward();
      opt.step();
    }
    schedule.step();
    std::cout << "epoch " << epoch << " std " << model->collapse(x) << std::endl;
  }
}
