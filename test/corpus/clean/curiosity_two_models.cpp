// clean: an intrinsic reward is computed by a second model whose own loss is optimised separately.
#include <torch/torch.h>
#include <iostream>

struct MLP : torch::nn::Module {
  MLP(int i, int h, int o) { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(i, h), torch::nn::ReLU(), torch::nn::Linear(h, o))); }
  torch::Tensor forward(torch::Tensor x) { return net->forward(x); }
  torch::nn::Sequential net{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto policy = std::make_shared<MLP>(4, 16, 2), predictor = std::make_shared<MLP>(4, 16, 8), target = std::make_shared<MLP>(4, 16, 8);
  for (auto& p : target->parameters()) p.set_requires_grad(false);
  torch::optim::Adam policy_opt(policy->parameters(), 1e-3), predictor_opt(predictor->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto s = torch::randn({10, 4});
    auto error = (predictor->forward(s) - target->forward(s)).pow(2).mean(1);
    auto reward = error.detach();
    auto logp = torch::log_softmax(policy->forward(s), 1);
    auto a = logp.exp().multinomial(1).squeeze(1);
    auto policy_loss = torch::nll_loss(logp * reward.unsqueeze(1), a);
    policy_opt.zero_grad();
    policy_loss.backward();
    policy_opt.step();
    auto predictor_loss = error.mean();
    predictor_opt.zero_grad();
    predictor_loss.backward();
    predictor_opt.step();
    std::cout << policy_loss.item<float>() << " " << predictor_loss.item<float>() << "\n";
  }
}
