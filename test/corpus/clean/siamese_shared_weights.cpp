// clean: one network used on both inputs; a second member refers to the same module on purpose.
#include <torch/torch.h>
#include <iostream>

struct BranchImpl : torch::nn::Module {
  BranchImpl() { fc = register_module("fc", torch::nn::Linear(6, 4)); }
  torch::Tensor forward(torch::Tensor x) { return torch::tanh(fc(x)); }
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(Branch);

struct Siamese : torch::nn::Module {
  Siamese() : left(Branch()), right(left) { register_module("branch", left); }
  torch::Tensor forward(torch::Tensor a, torch::Tensor b) { return torch::pairwise_distance(left(a), right(b)); }
  Branch left, right;
};

torch::Tensor contrastive(torch::Tensor d, torch::Tensor same, double margin = 1.0) {
  auto far = torch::clamp_min(margin - d, 0);
  return (same * d.pow(2) + (1 - same) * far.pow(2)).mean();
}

int main() {
  torch::manual_seed(0);
  Siamese net;
  torch::optim::Adam opt(net.parameters(), 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto a = torch::randn({8, 6}), b = torch::randn({8, 6});
    auto same = torch::randint(0, 2, {8}).to(torch::kFloat);
    auto loss = contrastive(net.forward(a, b), same);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
