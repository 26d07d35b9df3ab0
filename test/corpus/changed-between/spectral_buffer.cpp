// changed-between, throws: the power iteration writes u in place, which the second forward had saved.
#include <torch/torch.h>
#include <iostream>

struct SNLinear : torch::nn::Module {
  SNLinear(int i, int o) {
    weight = register_parameter("weight", torch::randn({o, i}));
    u = register_buffer("u", torch::randn({o}));
  }
  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor v;
    {
      torch::NoGradGuard g;
      v = torch::mv(weight.t(), u);
      v = v / v.norm();
      auto nu = torch::mv(weight, v);
      u.copy_(nu / nu.norm()); //-@
      u = nu / nu.norm(); //+
    }
    auto sigma = torch::dot(u, torch::mv(weight, v));
    return x.mm((weight / sigma).t());
  }
  torch::Tensor weight, u;
};

int main() {
  torch::manual_seed(0);
  SNLinear d(4, 1);
  torch::optim::SGD opt(d.parameters(), 0.01);
  for (int i = 0; i < 2; ++i) {
    auto loss = torch::relu(1 - d.forward(torch::randn({6, 4}) + 1)).mean() + torch::relu(1 + d.forward(torch::randn({6, 4}))).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= d
}
