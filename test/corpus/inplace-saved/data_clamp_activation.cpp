// inplace-saved, wrong: an activation is clamped through data, behind the back of autograd.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() { a = register_module("a", torch::nn::Linear(5, 10)); b = register_module("b", torch::nn::Linear(10, 3)); }
  torch::Tensor forward(torch::Tensor x) {
    auto h = a->forward(x);
    auto s = torch::tanh(h);
    s.data().clamp_(-0.5, 0.5); //-@
    s = s.clamp(-0.5, 0.5); //+
    return b->forward(s);
  }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto net = std::make_shared<Net>();
  torch::optim::Adam opt(net->parameters(), 0.01);
  auto x = torch::randn({12, 5}) * 2;
  auto y = torch::randint(0, 3, {12});
  for (int i = 0; i < 3; ++i) {
    auto loss = torch::nn::functional::cross_entropy(net->forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
