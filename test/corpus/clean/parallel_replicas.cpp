// clean: data parallel by hand: replicas are clones whose gradients are added to the master's.
#include <torch/torch.h>
#include <iostream>

struct NetImpl : torch::nn::Cloneable<NetImpl> {
  NetImpl() { reset(); }
  void reset() override { l = register_module("l", torch::nn::Linear(4, 2)); }
  torch::Tensor forward(torch::Tensor x) { return l(x); }
  torch::nn::Linear l{nullptr};
};
TORCH_MODULE(Net);

int main() {
  torch::manual_seed(0);
  Net master;
  torch::optim::SGD opt(master->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 4});
    auto parts = x.chunk(2);
    opt.zero_grad();
    for (auto& p : master->parameters()) p.mutable_grad() = torch::zeros_like(p);
    for (auto& part : parts) {
      auto replica = std::dynamic_pointer_cast<NetImpl>(master->clone());
      auto loss = replica->forward(part).pow(2).mean() / static_cast<double>(parts.size());
      loss.backward();
      auto from = replica->parameters(), to = master->parameters();
      for (size_t k = 0; k < to.size(); ++k) to[k].mutable_grad() += from[k].grad();
    }
    opt.step();
    std::cout << master->l->weight.norm().item<float>() << "\n";
  }
}
