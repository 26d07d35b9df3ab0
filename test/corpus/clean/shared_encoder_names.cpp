// clean: one encoder by two names on purpose, and its weights renormalised after the step.
#include <torch/torch.h>
#include <iostream>
struct Head : torch::nn::Module {
  Head(torch::nn::Linear e, int64_t n) : enc(e), out(register_module("out", torch::nn::Linear(6, n))) {}
  torch::Tensor forward(torch::Tensor x) { return out(torch::relu(enc(x))); }
  torch::nn::Linear enc, out;
};
int main() {
  torch::manual_seed(0);
  torch::nn::Linear encoder(4, 6);
  Head a(encoder, 2), b(encoder, 3);
  std::vector<torch::Tensor> ps = encoder->parameters();
  for (auto* h : {&a, &b}) for (auto& p : h->parameters()) ps.push_back(p);
  torch::optim::SGD opt(ps, 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({5, 4});
    auto loss = a.forward(x).pow(2).mean() + b.forward(x).abs().mean();
    opt.zero_grad(); loss.backward(); opt.step();
    torch::NoGradGuard g;
    a.enc->weight.copy_(a.enc->weight / a.enc->weight.norm());
  }
  std::cout << encoder->weight.norm() << "\n";
  //= encoder
}
