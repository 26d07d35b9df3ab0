// clean: from_blob over storage that stays as it is, or that is cloned before it is filled again.
#include <torch/torch.h>
#include <iostream>
#include <vector>

int main() {
  torch::manual_seed(0);
  std::vector<float> table(40);
  for (size_t i = 0; i < table.size(); ++i) table[i] = 0.05f * i;
  auto x = torch::from_blob(table.data(), {10, 4});
  float row[4];
  std::vector<torch::Tensor> rows;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 4; ++k) row[k] = static_cast<float>(i + k);
    rows.push_back(torch::from_blob(row, {4}, torch::kFloat).clone());
  }
  auto extra = torch::stack(rows);
  torch::nn::Linear net(4, 1);
  torch::optim::SGD opt(net->parameters(), 0.01);
  for (int e = 0; e < 3; ++e) {
    auto in = torch::cat({x, extra});
    auto loss = (net(in) - in.sum(1, true)).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
