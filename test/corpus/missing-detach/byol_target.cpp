// missing-detach, wrong: the target branch of BYOL is not detached, both branches are trained.
#include <torch/torch.h>
#include <iostream>

namespace F = torch::nn::functional;

struct Encoder : torch::nn::Module {
  Encoder() : f(register_module("f", torch::nn::Linear(10, 6))), p(register_module("p", torch::nn::Linear(6, 6))) {}
  torch::Tensor project(torch::Tensor x) { return torch::relu(f(x)); }
  torch::Tensor predict(torch::Tensor z) { return p(z); }
  torch::nn::Linear f, p;
};

torch::Tensor D(torch::Tensor p, torch::Tensor z) {
  return -F::cosine_similarity(p, z).mean(); //-@
  return -F::cosine_similarity(p, z.detach()).mean(); //+
}

int main() {
  torch::manual_seed(0);
  Encoder enc;
  torch::optim::SGD opt(enc.parameters(), 0.05);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({12, 10});
    auto z1 = enc.project(x + 0.1 * torch::randn_like(x)), z2 = enc.project(x + 0.1 * torch::randn_like(x));
    auto loss = 0.5 * D(enc.predict(z1), z2) + 0.5 * D(enc.predict(z2), z1); //@
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= enc
}
