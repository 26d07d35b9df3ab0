// changed-between, wrong: noise is added to the weights through data() for the forward pass and taken off before backward.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear a(5, 5), b(5, 1);
  std::vector<torch::Tensor> ps = a->parameters();
  for (auto& p : b->parameters()) ps.push_back(p);
  torch::optim::SGD opt(ps, 0.05);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({7, 5}), y = torch::randn({7, 1});
    auto noise = torch::randn_like(b->weight) * 0.3;
    b->weight.data().add_(noise);
    auto loss = torch::mse_loss(b(torch::tanh(a(x))), y);
    opt.zero_grad();
    b->weight.data().sub_(noise); //-@
    loss.backward();
    b->weight.data().sub_(noise); //+
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= a, b
}
