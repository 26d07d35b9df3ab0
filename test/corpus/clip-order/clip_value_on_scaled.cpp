// clip-order, wrong: the gradients are clipped by value while they still carry the loss scale.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear f(7, 7), g(7, 1);
  std::vector<torch::Tensor> params = f->parameters();
  for (auto& p : g->parameters()) params.push_back(p);
  torch::optim::SGD opt(params, 0.1);
  float loss_scale = 1024.0f;
  for (int it = 0; it < 3; ++it) {
    auto x = torch::randn({6, 7});
    auto loss = g(torch::relu(f(x))).pow(2).mean();
    opt.zero_grad();
    (loss * loss_scale).backward();
    torch::nn::utils::clip_grad_value_(params, 0.05); //-@
    for (auto& p : params) p.mutable_grad().div_(loss_scale);
    torch::nn::utils::clip_grad_value_(params, 0.05); //+
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= f, g
}
