// buffer-reuse, wrong: every sample is read into one array, and from_blob does not copy it.
#include <torch/torch.h>
#include <array>
#include <iostream>
#include <random>
#include <vector>

int main() {
  torch::manual_seed(0);
  std::mt19937 rng(7);
  std::normal_distribution<float> dist;
  torch::nn::Linear net(6, 1);
  torch::optim::SGD opt(net->parameters(), 0.05);
  std::array<float, 6> sample;
  for (int step = 0; step < 3; ++step) {
    std::vector<torch::Tensor> xs;
    for (int i = 0; i < 4; ++i) {
      for (auto& v : sample) v = dist(rng);
      xs.push_back(torch::from_blob(sample.data(), {6})); //-@
      xs.push_back(torch::from_blob(sample.data(), {6}).clone()); //+
    }
    auto x = torch::stack(xs);
    auto loss = torch::mse_loss(net(x), torch::ones({4, 1}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
