// graph-carried, throws: the normalised weight is computed once in the constructor and used in every step.
#include <torch/torch.h>
#include <iostream>

class WeightNormLinear : public torch::nn::Module {
 public:
  WeightNormLinear(int in, int out) {
    v = register_parameter("v", torch::randn({out, in}));
    g = register_parameter("g", torch::ones({out, 1}));
    w = g * v / v.norm(2, 1, true); //-@
  }
  torch::Tensor forward(torch::Tensor x) {
    auto w = g * v / v.norm(2, 1, true); //+
    return x.mm(w.t());
  }
 private:
  torch::Tensor v, g, w;
};

int main() {
  torch::manual_seed(0);
  WeightNormLinear layer(5, 2);
  torch::optim::SGD opt(layer.parameters(), 0.1);
  auto x = torch::randn({10, 5}), y = torch::randn({10, 2});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(layer.forward(x), y);
    loss.backward(); //@
    opt.step();
    std::cout << loss.item<float>() << std::endl;
  }
  //= layer
}
