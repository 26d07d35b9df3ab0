// clean: a custom autograd function with save_for_backward.
#include <torch/torch.h>
#include <iostream>

class Swish : public torch::autograd::Function<Swish> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* ctx, torch::Tensor x, double beta) {
    ctx->save_for_backward({x});
    ctx->saved_data["beta"] = beta;
    return x * torch::sigmoid(beta * x);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::tensor_list grads) {
    auto x = ctx->get_saved_variables()[0];
    auto beta = ctx->saved_data["beta"].toDouble();
    auto s = torch::sigmoid(beta * x);
    return {grads[0] * (s + x * beta * s * (1 - s)), torch::Tensor()};
  }
};

struct Sign : torch::autograd::Function<Sign> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) { return x.sign(); }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*, torch::autograd::variable_list g) { return {g[0].clamp(-1, 1)}; }
};

int main() {
  torch::manual_seed(0);
  torch::nn::Linear a(4, 8), b(8, 1);
  std::vector<torch::Tensor> params;
  for (auto* m : {a.get(), b.get()}) {
    auto p = m->parameters();
    params.insert(params.end(), p.begin(), p.end());
  }
  torch::optim::Adam opt(params, 1e-2);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({6, 4});
    auto h = Swish::apply(a(x), 1.5);
    auto loss = (b(Sign::apply(h)) - 1).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
