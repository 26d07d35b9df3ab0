// clean: binary weights by a custom function with a straight-through gradient; the latent weights are clamped under a guard.
#include <torch/torch.h>
#include <iostream>

struct Binarize : torch::autograd::Function<Binarize> {
  static torch::Tensor forward(torch::autograd::AutogradContext* ctx, torch::Tensor w) {
    ctx->save_for_backward({w});
    return torch::where(w >= 0, torch::ones_like(w), -torch::ones_like(w));
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::tensor_list grads) {
    auto w = ctx->get_saved_variables()[0];
    auto g = grads[0].clone();
    g.masked_fill_(w.abs() > 1, 0);
    return {g};
  }
};

struct BinaryLinear : torch::nn::Cloneable<BinaryLinear> {
  BinaryLinear(int64_t in, int64_t out) : in(in), out(out) { reset(); }
  void reset() override {
    latent = register_parameter("latent", torch::empty({out, in}));
    torch::nn::init::uniform_(latent, -0.5, 0.5);
    scale = register_parameter("scale", torch::ones({out}));
  }
  torch::Tensor forward(const torch::Tensor& x) { return torch::linear(x, Binarize::apply(latent)) * scale; }
  void clamp() {
    torch::NoGradGuard guard;
    latent.clamp_(-1, 1);
  }
  int64_t in, out;
  torch::Tensor latent, scale;
};

int main() {
  torch::manual_seed(3);
  auto first = std::make_shared<BinaryLinear>(8, 16);
  auto second = std::make_shared<BinaryLinear>(16, 3);
  torch::nn::Sequential net;
  net->push_back(first);
  net->push_back(torch::nn::Functional([](torch::Tensor x) { return x.clamp(-1, 1); }));
  net->push_back(second);
  torch::optim::Adam opt(net->parameters(), 1e-2);
  auto x = torch::randn({32, 8});
  auto y = x.slice(1, 0, 3).argmax(1);
  for (int i = 0; i < 5; ++i) {
    auto loss = torch::cross_entropy_loss(net->forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    first->clamp();
    second->clamp();
    std::cout << loss.item<float>() << '\n';
  }
  auto copy = std::dynamic_pointer_cast<BinaryLinear>(first->clone());
  std::cout << (copy->latent - first->latent).abs().max().item<float>() << '\n';
}
