// clean: several losses of one forward pass with retain_graph, the last without.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear enc(6, 9), a(3, 1), b(3, 1), c(3, 1);
  std::vector<torch::Tensor> ps;
  for (auto& m : {enc, a, b, c}) for (auto& p : m->parameters()) ps.push_back(p);
  torch::optim::Adam opt(ps, 1e-3);
  std::vector<torch::nn::Linear> heads{a, b, c};
  for (int i = 0; i < 2; ++i) {
    auto parts = torch::tanh(enc(torch::randn({4, 6}))).chunk(3, 1);
    opt.zero_grad();
    for (size_t k = 0; k < heads.size(); ++k) heads[k](parts[k]).pow(2).mean().backward({}, k + 1 < heads.size());
    opt.step();
  }
  std::cout << enc->weight.norm() << "\n";
  //= enc
}
