// leaf-inplace, throws: the soft update of the target writes its parameters with gradients on.
#include <torch/torch.h>
#include <iostream>

struct Critic : torch::nn::Module {
  Critic() { l = register_module("l", torch::nn::Linear(4, 1)); }
  torch::Tensor forward(torch::Tensor x) { return l(x); }
  torch::nn::Linear l{nullptr};
};

class TD3 {
 public:
  TD3() : opt_(critic_.parameters(), 1e-3) {}
  void soft_update(double tau) {
    torch::NoGradGuard guard; //+
    auto target = target_.parameters();
    auto local = critic_.parameters();
    for (size_t i = 0; i < target.size(); i++) {
      target[i].mul_(1 - tau).add_(local[i], tau); //@
    }
  }
  double train() {
    auto s = torch::randn({6, 4});
    auto y = target_.forward(s).detach() * 0.9 + 1;
    auto loss = torch::mse_loss(critic_.forward(s), y);
    opt_.zero_grad();
    loss.backward();
    opt_.step();
    soft_update(0.01);
    return loss.item<double>();
  }
  Critic critic_, target_;
  torch::optim::Adam opt_;
};

int main() {
  torch::manual_seed(0);
  TD3 agent;
  for (int i = 0; i < 3; ++i) std::cout << agent.train() << "\n";
  //= agent.critic_
}
