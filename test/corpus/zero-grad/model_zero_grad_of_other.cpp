// zero-grad, stale: zero_grad is called on the target network instead of the one that is trained.
#include <torch/torch.h>
#include <iostream>

struct NetImpl : torch::nn::Module {
  NetImpl() { a = register_module("a", torch::nn::Linear(3, 16)); b = register_module("b", torch::nn::Linear(16, 2)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};
TORCH_MODULE(Net);

int main() {
  torch::manual_seed(0);
  Net policy, target;
  torch::optim::RMSprop opt(policy->parameters(), 1e-3);
  for (int i = 0; i < 5; ++i) {
    auto s = torch::randn({16, 3}), s2 = torch::randn({16, 3}), r = torch::randn({16});
    torch::Tensor y;
    {
      torch::NoGradGuard g;
      y = r + 0.9 * target->forward(s2).amax(1);
    }
    auto loss = torch::mse_loss(policy->forward(s).select(1, 1), y);
    target->zero_grad(); //-@
    policy->zero_grad(); //+
    loss.backward(); //@
    opt.step(); //@
    std::cout << loss.item<float>() << "\n";
  }
  //= policy
}
