// rebuilt-values, undefined: quaternion components are read with item and assembled into a new matrix.
#include <torch/torch.h>
#include <iostream>

torch::Tensor rotation(torch::Tensor q) {
  auto n = q / q.norm();
  auto w = n[0].item<float>(), x = n[1].item<float>(); //-@
  return torch::tensor({1 - 2 * x * x, -2 * w * x, 2 * w * x, 1 - 2 * x * x}).reshape({2, 2}); //-@
  auto w = n[0], x = n[1]; //+
  return torch::stack({1 - 2 * x * x, -2 * w * x, 2 * w * x, 1 - 2 * x * x}).reshape({2, 2}); //+
}

int main() {
  torch::manual_seed(0);
  auto q = torch::tensor({1.0f, 0.3f}, torch::requires_grad());
  auto t = torch::zeros({2}, torch::requires_grad());
  torch::optim::Adam opt({q, t}, 0.05);
  auto src = torch::randn({20, 2}), dst = src.flip({1}) + 0.5;
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = (src.matmul(rotation(q).t()) + t - dst).pow(2).mean();
    loss.backward();
    //= q, t
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
