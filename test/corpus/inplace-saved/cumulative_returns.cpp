// inplace-saved, throws: values are written into a slice of the values that the loss uses.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear value(4, 1);
  torch::optim::Adam opt(value->parameters(), 1e-2);
  for (int e = 0; e < 2; ++e) {
    auto s = torch::randn({6, 4});
    auto r = torch::rand({6});
    auto v = torch::relu(value(s).squeeze(1));
    auto ret = v.clone(); //+
    auto ret = v; //-
    for (int t = 4; t >= 0; --t) ret[t] = r[t] + 0.9 * ret[t + 1].detach(); //@
    auto loss = (v - 2).pow(2).mean() + ret.mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= value
}
