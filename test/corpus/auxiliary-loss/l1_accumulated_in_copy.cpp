// auxiliary-loss, wrong: the sparsity term is summed up in a variable that is forgotten in the total.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear enc(10, 4), dec(4, 10);
  std::vector<torch::Tensor> ps = enc->parameters();
  for (auto& p : dec->parameters()) ps.push_back(p);
  torch::optim::SGD opt(ps, 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::rand({6, 10});
    auto code = torch::sigmoid(enc(x));
    auto sparsity = torch::zeros({});
    for (int64_t k = 0; k < 4; ++k) sparsity = sparsity + code.select(1, k).mean().abs(); //@
    auto loss = torch::mse_loss(dec(code), x); //-@
    auto loss = torch::mse_loss(dec(code), x) + 0.05 * sparsity; //+
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= enc
}
