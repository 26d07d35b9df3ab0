// clean: BYOL with a momentum encoder made by cloning and updated in place under a guard.
#include <torch/torch.h>
#include <iostream>

struct EncImpl : torch::nn::Cloneable<EncImpl> {
  EncImpl() { reset(); }
  void reset() override {
    fc1 = register_module("fc1", torch::nn::Linear(10, 12));
    fc2 = register_module("fc2", torch::nn::Linear(12, 6));
  }
  torch::Tensor forward(torch::Tensor x) { return fc2(torch::relu(fc1(x))); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};
TORCH_MODULE(Enc);

int main() {
  torch::manual_seed(0);
  Enc online;
  auto target = std::dynamic_pointer_cast<EncImpl>(online->clone());
  for (auto& p : target->parameters()) p.set_requires_grad(false);
  torch::nn::Linear predictor(6, 6);
  auto params = online->parameters();
  for (const auto& p : predictor->parameters()) params.push_back(p);
  torch::optim::SGD opt(params, 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 10});
    auto p = torch::nn::functional::normalize(predictor(online->forward(x)));
    auto z = torch::nn::functional::normalize(target->forward(x + 0.1));
    auto loss = 2 - 2 * (p * z).sum(1).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    torch::NoGradGuard guard;
    auto src = online->parameters(), dst = target->parameters();
    for (size_t k = 0; k < src.size(); ++k) dst[k].data().mul_(0.99).add_(src[k].data(), 0.01);
    std::cout << loss.item<float>() << "\n";
  }
}
