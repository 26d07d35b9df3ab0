// zero-grad, stale: the helper that should zero the gradients gives a local handle a new tensor.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
#include <map>
#include <string>

using Params = std::map<std::string, torch::Tensor>;

Params init(int64_t in, int64_t hidden, int64_t out) {
  auto opts = torch::TensorOptions().dtype(torch::kFloat32);
  Params p;
  p["w1"] = torch::randn({in, hidden}, opts) / std::sqrt(double(in));
  p["b1"] = torch::zeros({hidden}, opts);
  p["w2"] = torch::randn({hidden, out}, opts) / std::sqrt(double(hidden));
  p["b2"] = torch::zeros({out}, opts);
  for (auto& kv : p) kv.second.requires_grad_(true);
  return p;
}

torch::Tensor predict(Params& p, const torch::Tensor& x) {
  auto h = torch::relu(x.mm(p["w1"]) + p["b1"]);
  return h.mm(p["w2"]) + p["b2"];
}

void zero_gradients(Params& params) {
  for (auto& kv : params) {
    if (!kv.second.grad().defined()) continue;
    torch::Tensor g = kv.second.grad();
    g = torch::zeros_like(g); //-@
    g.zero_(); //+
  }
}

void descend(Params& params, double lr) {
  torch::NoGradGuard no_grad;
  for (auto& kv : params) kv.second.sub_(lr * kv.second.grad());
}

int main() {
  torch::manual_seed(11);
  auto params = init(3, 12, 1);
  auto x = torch::linspace(-1, 1, 60).view({20, 3});
  auto y = torch::sin(3 * x.sum(1, true));
  for (int it = 0; it < 20; ++it) {
    zero_gradients(params);
    auto loss = torch::mse_loss(predict(params, x), y);
    loss.backward(); //@
    descend(params, 0.05);
    if (it % 5 == 0) std::cout << it << " " << loss.item<float>() << std::endl;
  }
  std::vector<torch::Tensor> all;
  for (auto& kv : params) all.push_back(kv.second);
  //= all
}
