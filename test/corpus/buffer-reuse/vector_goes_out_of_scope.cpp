// buffer-reuse, wrong: the tensor outlives the local vector it was made over.
#include <torch/torch.h>
#include <iostream>
#include <vector>

torch::Tensor load_row(int row) {
  std::vector<double> values;
  for (int i = 0; i < 64; ++i) values.push_back(0.01 * row + 0.1 * i);
  return torch::from_blob(values.data(), {64}, torch::kFloat64); //-@
  return torch::from_blob(values.data(), {64}, torch::kFloat64).clone(); //+
}

int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(64, 1);
  net->to(torch::kFloat64);
  torch::optim::SGD opt(net->parameters(), 1e-3);
  auto a = load_row(1);
  auto b = load_row(2);
  auto batch = torch::stack({a, b});
  for (int i = 0; i < 2; ++i) {
    opt.zero_grad();
    auto loss = net(batch).pow(2).mean();
    loss.backward();
    opt.step();
  }
  //= net
}
