// two-backwards, throws: policy and value loss share the trunk's graph and are walked one after the other.
#include <torch/torch.h>
#include <iostream>

struct ActorCritic : torch::nn::Module {
  ActorCritic() {
    trunk = register_module("trunk", torch::nn::Linear(4, 32));
    pi = register_module("pi", torch::nn::Linear(32, 2));
    v = register_module("v", torch::nn::Linear(32, 1));
  }
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor s) {
    auto h = torch::relu(trunk(s));
    return {torch::log_softmax(pi(h), 1), v(h)};
  }
  torch::nn::Linear trunk{nullptr}, pi{nullptr}, v{nullptr};
};

int main() {
  torch::manual_seed(0);
  ActorCritic net;
  torch::optim::Adam opt(net.parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({10, 4}), R = torch::randn({10, 1});
    auto [logp, value] = net.forward(s);
    auto policy_loss = -(logp.select(1, 0).unsqueeze(1) * (R - value).detach()).mean();
    auto value_loss = torch::mse_loss(value, R);
    opt.zero_grad();
    policy_loss.backward(); //-@
    value_loss.backward(); //-@
    (policy_loss + value_loss).backward(); //+
    opt.step();
    std::cout << value_loss.item<float>() << "\n";
  }
  //= net
}
