// snapshot, stale: the old policy is the same shared_ptr as the new one, so the ratio is always one.
#include <torch/torch.h>
#include <iostream>
#include <memory>

struct Policy : torch::nn::Module {
  Policy() { fc = register_module("fc", torch::nn::Linear(3, 2)); }
  torch::Tensor forward(torch::Tensor s) { return torch::log_softmax(fc(s), 1); }
  torch::nn::Linear fc{nullptr};
};

void copy_weights(Policy& to, Policy& from) {
  torch::NoGradGuard guard;
  auto t = to.parameters(), f = from.parameters();
  for (size_t i = 0; i < t.size(); ++i) t[i].copy_(f[i]);
}

int main() {
  torch::manual_seed(0);
  auto policy = std::make_shared<Policy>();
  std::shared_ptr<Policy> old_policy = policy; //-@
  auto old_policy = std::make_shared<Policy>(); //+
  torch::optim::SGD opt(policy->parameters(), 0.5);
  for (int it = 0; it < 2; ++it) {
    copy_weights(*old_policy, *policy);
    auto s = torch::randn({10, 3}), adv = torch::randn({10, 1});
    auto a = torch::randint(0, 2, {10, 1});
    for (int k = 0; k < 3; ++k) {
      auto old = old_policy->forward(s).gather(1, a).detach();
      auto ratio = (policy->forward(s).gather(1, a) - old).exp();
      auto loss = -torch::min(ratio * adv, ratio.clamp(0.9, 1.1) * adv).mean();
      opt.zero_grad();
      loss.backward();
      opt.step();
      std::cout << loss.item<float>() << "\n";
    }
  }
  //= policy
}
