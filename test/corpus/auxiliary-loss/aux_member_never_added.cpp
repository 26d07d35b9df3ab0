// auxiliary-loss, wrong: the load-balancing loss of the experts is kept in a member, and nobody adds it.
#include <torch/torch.h>
#include <iostream>
struct MoEImpl : torch::nn::Module {
  MoEImpl() : gate(6, 3), a(6, 6), b(6, 6), c(6, 6) {
    register_module("gate", gate); register_module("a", a); register_module("b", b); register_module("c", c);
  }
  torch::Tensor forward(torch::Tensor x) {
    auto w = torch::softmax(gate(x), 1);
    balance = (w.mean(0) - 1.0 / 3).pow(2).sum(); //@
    return w.select(1, 0).unsqueeze(1) * a(x) + w.select(1, 1).unsqueeze(1) * b(x) + w.select(1, 2).unsqueeze(1) * c(x);
  }
  torch::nn::Linear gate, a, b, c;
  torch::Tensor balance;
};
TORCH_MODULE(MoE);
int main() {
  torch::manual_seed(0);
  MoE moe;
  torch::optim::Adam opt(moe->parameters(), 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 6});
    auto loss = torch::mse_loss(moe(x), x); //-@
    auto out = moe(x); //+
    auto loss = torch::mse_loss(out, x) + 0.1 * moe->balance; //+
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= moe
}
