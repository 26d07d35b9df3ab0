// inplace-saved, throws: the positional bias is added in place to the result of tanh.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear a(4, 4), b(4, 1);
  auto bias = torch::zeros({4}).requires_grad_();
  std::vector<torch::Tensor> ps{bias};
  for (auto m : {a, b}) for (auto& p : m->parameters()) ps.push_back(p);
  torch::optim::SGD opt(ps, 0.1);
  for (int i = 0; i < 2; ++i) {
    auto h = torch::tanh(a(torch::randn({3, 4})));
    h += bias; //-@
    h = h + bias; //+
    auto loss = b(h).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= a
}
