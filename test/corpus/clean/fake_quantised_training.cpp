// clean: quantisation-aware training: rounding passes the gradient straight through, ranges are observed on the side.
#include <torch/torch.h>
#include <iostream>

struct RoundSTE : public torch::autograd::Function<RoundSTE> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) { return x.round(); }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext*, torch::autograd::tensor_list grads) { return {grads[0]}; }
};

class FakeQuantImpl : public torch::nn::Module {
 public:
  explicit FakeQuantImpl(int bits) : levels_((1 << bits) - 1) {
    low = register_buffer("low", torch::zeros({}));
    high = register_buffer("high", torch::ones({}));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    if (is_training()) observe(x);
    auto scale = (high - low).clamp_min(1e-6) / levels_;
    auto q = RoundSTE::apply((x - low) / scale);
    return q.clamp(0, levels_) * scale + low;
  }

 private:
  void observe(const torch::Tensor& x) {
    auto d = x.detach();
    low = 0.9 * low + 0.1 * d.min();
    high = 0.9 * high + 0.1 * d.max();
  }
  int levels_;
  torch::Tensor low, high;
};
TORCH_MODULE(FakeQuant);

struct QuantNet : torch::nn::Module {
  torch::nn::Linear fc1{6, 16}, fc2{16, 3};
  FakeQuant act{4};
  QuantNet() {
    register_module("fc1", fc1);
    register_module("fc2", fc2);
    register_module("act", act);
  }
  static torch::Tensor quantise_weight(const torch::Tensor& w) {
    auto scale = w.detach().abs().max() / 7;
    auto q = (w / scale).round().clamp(-8, 7) * scale;
    return w + (q - w).detach();
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto h = torch::relu(torch::linear(x, quantise_weight(fc1->weight), fc1->bias));
    return torch::linear(act(h), quantise_weight(fc2->weight), fc2->bias);
  }
};

int main() {
  torch::manual_seed(2);
  QuantNet net;
  torch::optim::SGD opt(net.parameters(), 0.05);
  for (int i = 0; i < 8; ++i) {
    auto x = torch::randn({20, 6});
    auto y = x.slice(1, 0, 3).argmax(1);
    auto loss = torch::cross_entropy_loss(net.forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<double>() << "\n";
  }
  net.eval();
  torch::NoGradGuard guard;
  std::cout << net.forward(torch::randn({2, 6})) << "\n";
  //= net
}
