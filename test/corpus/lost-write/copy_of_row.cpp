// lost-write, wrong: the row is taken by index with a tensor, so writing it in place changes a copy.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  auto memory = torch::zeros({10, 4});
  torch::nn::Linear enc(6, 4), dec(4, 6);
  std::vector<torch::Tensor> params;
  for (auto& p : enc->parameters()) params.push_back(p);
  for (auto& p : dec->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, 1e-2);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({3, 6});
    auto idx = torch::tensor({i, i + 1, i + 2});
    auto z = enc(x);
    memory.index({idx}).copy_(z.detach()); //-@
    memory.index_put_({idx}, z.detach()); //+
    auto context = memory.mean(0, true);
    auto loss = torch::mse_loss(dec(z + context), x);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= dec
}
