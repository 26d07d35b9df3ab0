// missing-detach, wrong: the critic's own estimate of the next state is part of its target, with gradients.
#include <torch/torch.h>
#include <iostream>
struct V : torch::nn::Module {
  V() : net(register_module("net", torch::nn::Sequential(torch::nn::Linear(3, 16), torch::nn::Tanh(), torch::nn::Linear(16, 1)))) {}
  torch::Tensor forward(torch::Tensor s) { return net->forward(s).squeeze(-1); }
  torch::nn::Sequential net;
};
int main() {
  torch::manual_seed(0);
  V critic;
  torch::optim::Adam opt(critic.parameters(), 1e-2);
  for (int i = 0; i < 4; ++i) {
    auto s = torch::randn({12, 3}), s2 = torch::randn({12, 3}), r = torch::rand({12});
    auto v = critic.forward(s);
    auto next = critic.forward(s2); //-@
    auto next = critic.forward(s2).detach(); //+
    auto loss = torch::nn::functional::smooth_l1_loss(v, r + 0.99 * next); //@
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= critic
}
