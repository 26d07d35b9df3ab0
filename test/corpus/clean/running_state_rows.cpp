// clean: a list of rows of one buffer, each written once, and a state that is copied into it.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(3, 1);
  torch::optim::SGD opt(net->parameters(), 0.1);
  auto buffer = torch::zeros({4, 3}), state = torch::zeros({3});
  std::vector<torch::Tensor> seen;
  for (int t = 0; t < 4; ++t) {
    state.add_(torch::randn({3}));
    buffer[t].copy_(state);
    seen.push_back(buffer[t]);
    seen.push_back(state.clone());
  }
  for (int i = 0; i < 3; ++i) {
    auto loss = net(torch::stack(seen)).pow(2).mean() + net(buffer).pow(2).mean();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
