// clean: a normalising flow writes in place on its own copy, and samples in inference mode between epochs.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Affine : torch::nn::Module {
  torch::nn::Linear net{nullptr};
  bool even;
  explicit Affine(bool e) : even(e) { net = register_module("net", torch::nn::Linear(1, 2)); }
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& x) {
    auto out = x.clone();
    auto params = net(x.slice(1, even ? 0 : 1, even ? 1 : 2));
    auto log_s = torch::tanh(params.slice(1, 0, 1)), t = params.slice(1, 1, 2);
    auto target = out.slice(1, even ? 1 : 0, even ? 2 : 1);
    target.copy_(target.clone() * log_s.exp() + t);
    return {out, log_s.squeeze(1)};
  }
  torch::Tensor inverse(const torch::Tensor& z) {
    c10::InferenceMode mode;
    auto x = z.clone();
    auto params = net(x.slice(1, even ? 0 : 1, even ? 1 : 2));
    x.slice(1, even ? 1 : 0, even ? 2 : 1).sub_(params.slice(1, 1, 2)).div_(torch::tanh(params.slice(1, 0, 1)).exp());
    return x;
  }
};

struct Flow : torch::nn::Module {
  std::vector<std::shared_ptr<Affine>> steps;
  Flow() {
    for (int i = 0; i < 4; ++i) steps.push_back(register_module("step" + std::to_string(i), std::make_shared<Affine>(i % 2 == 0)));
  }
  torch::Tensor log_prob(torch::Tensor x) {
    torch::Tensor total = torch::zeros({x.size(0)});
    for (auto& s : steps) {
      auto [y, log_det] = s->forward(x);
      x = y;
      total += log_det;
    }
    return total - 0.5 * x.square().sum(1);
  }
  torch::Tensor sample(int64_t n) {
    auto z = torch::randn({n, 2});
    for (auto s = steps.rbegin(); s != steps.rend(); ++s) z = (*s)->inverse(z);
    return z;
  }
};

int main() {
  torch::manual_seed(1);
  Flow flow;
  torch::optim::Adam opt(flow.parameters(), 5e-3);
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (int i = 0; i < 4; ++i) {
      auto x = torch::randn({16, 2}) * torch::tensor({1.0, 0.2});
      auto nll = -flow.log_prob(x).mean();
      opt.zero_grad();
      nll.backward();
      opt.step();
    }
    std::cout << "spread " << flow.sample(32).std(0) << std::endl;
  }
  //= flow
}
