// snapshot, zero: the proximal term compares the weights with themselves, the reference is not a copy.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Client : torch::nn::Module {
  Client() { fc = register_module("fc", torch::nn::Linear(6, 3)); gain = register_parameter("gain", torch::ones({3})); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
  torch::nn::Linear fc{nullptr};
  torch::Tensor gain;
};

int main() {
  torch::manual_seed(0);
  Client client;
  std::vector<torch::Tensor> global;
  for (auto& p : client.parameters()) global.push_back(p.detach()); //-@
  for (auto& p : client.parameters()) global.push_back(p.detach().clone()); //+
  {
    torch::NoGradGuard guard;
    for (auto& p : client.parameters()) p.add_(0.1);
  }
  torch::optim::SGD opt(client.parameters(), 0.05);
  for (int i = 0; i < 4; ++i) {
    auto loss = client.forward(torch::randn({5, 6})).pow(2).mean();
    size_t k = 0;
    for (auto& p : client.parameters()) loss = loss + 0.5 * (p - global[k++]).pow(2).sum();
    opt.zero_grad();
    loss.backward();
    //= client
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
}
