// clean: the distance to a reference that was cloned, and to handles whose content does not change.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(4, 4);
  std::vector<torch::Tensor> reference;
  for (auto& p : net->parameters()) reference.push_back(p.detach().clone());
  auto anchor = torch::randn({4, 4});
  torch::Tensor same = anchor;
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto loss = net(torch::randn({5, 4})).pow(2).mean() + (net->weight - same).pow(2).mean();
    auto now = net->parameters();
    for (size_t k = 0; k < now.size(); ++k) loss = loss + 0.1 * (now[k] - reference[k]).pow(2).sum();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
