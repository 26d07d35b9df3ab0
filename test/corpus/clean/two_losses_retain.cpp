// clean: two backward calls over one graph with retain_graph, gradients add up on purpose.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear trunk(5, 8), a(8, 1), b(8, 3);
  std::vector<torch::Tensor> params;
  for (auto m : std::vector<torch::nn::Linear>{trunk, a, b})
    for (auto& p : m->parameters()) params.emplace_back(p);
  torch::optim::SGD opt(params, 0.05);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({6, 5});
    auto h = torch::relu(trunk(x));
    opt.zero_grad();
    a(h).pow(2).mean().backward({}, true);
    torch::nn::functional::cross_entropy(b(h), torch::randint(0, 3, {6})).backward();
    opt.step();
  }
  std::cout << trunk->weight.norm().item<float>() << "\n";
}
