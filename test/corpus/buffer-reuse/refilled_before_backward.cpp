// buffer-reuse, wrong: the sensor buffer is refilled between forward and backward, which needs the old input.
#include <torch/torch.h>
#include <iostream>
#include <vector>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(8, 1);
  torch::optim::SGD opt(net->parameters(), 0.05);
  std::vector<float> buffer(8 * 4);
  auto fill = [&](float base) {
    for (size_t i = 0; i < buffer.size(); ++i) buffer[i] = base + 0.1f * i; //@
  };
  fill(0.f);
  for (int step = 1; step < 4; ++step) {
    auto x = torch::from_blob(buffer.data(), {4, 8}, torch::kFloat32); //-@
    auto x = torch::from_blob(buffer.data(), {4, 8}, torch::kFloat32).clone(); //+
    auto loss = net(x).pow(2).mean();
    fill(step); // next measurement
    opt.zero_grad();
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
