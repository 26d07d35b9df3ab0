// missing-detach, wrong: the bootstrapped target carries gradients into the online network.
#include <torch/torch.h>
#include <iostream>

struct DQN : torch::nn::Module {
  DQN(int64_t obs, int64_t act) : fc1(obs, 32), fc2(32, act) {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1, fc2;
};

int main() {
  torch::manual_seed(0);
  auto net = std::make_shared<DQN>(4, 3);
  torch::optim::Adam opt(net->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({16, 4}), ns = torch::randn({16, 4}), r = torch::randn({16});
    auto a = torch::randint(0, 3, {16, 1});
    auto q = net->forward(s).gather(1, a).squeeze(1);
    auto next_q = std::get<0>(net->forward(ns).max(1)); //-@
    auto next_q = std::get<0>(net->forward(ns).max(1)).detach(); //+
    auto target = r + 0.99 * next_q;
    auto loss = torch::mse_loss(q, target);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
