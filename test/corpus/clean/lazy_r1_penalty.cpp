// clean: a GAN with a lazy R1 penalty: every other step the critic's gradient towards real images is squared into its loss.
#include <torch/torch.h>
#include <iostream>
#include <memory>

struct Mlp : torch::nn::Module {
  torch::nn::Linear a, b;
  Mlp(int64_t in, int64_t hidden, int64_t out) : a(in, hidden), b(hidden, out) {
    register_module("a", a);
    register_module("b", b);
  }
  torch::Tensor forward(const torch::Tensor& x) { return b(torch::softplus(a(x))); }
};

class Trainer {
 public:
  Trainer(std::shared_ptr<Mlp> g, std::shared_ptr<Mlp> d)
      : g_(std::move(g)), d_(std::move(d)), g_opt_(g_->parameters(), options()), d_opt_(d_->parameters(), options()) {}

  void step(torch::Tensor real, int i) {
    d_opt_.zero_grad();
    torch::Tensor fake;
    {
      torch::NoGradGuard guard;
      fake = g_->forward(torch::randn({real.size(0), 3}));
    }
    auto loss_d = torch::softplus(d_->forward(fake)).mean() + torch::softplus(-d_->forward(real)).mean();
    loss_d.backward();
    if (i % 2 == 0) penalise(real);
    d_opt_.step();

    for (auto& p : d_->parameters()) p.requires_grad_(false);
    g_opt_.zero_grad();
    auto loss_g = torch::softplus(-d_->forward(g_->forward(torch::randn({real.size(0), 3})))).mean();
    loss_g.backward();
    g_opt_.step();
    for (auto& p : d_->parameters()) p.requires_grad_(true);
    std::cout << "d " << loss_d.item<float>() << " g " << loss_g.item<float>() << "\n";
  }

 private:
  static torch::optim::AdamOptions options() { return torch::optim::AdamOptions(1e-3).betas({0.0, 0.99}); }
  void penalise(torch::Tensor real) {
    real = real.detach().requires_grad_();
    auto score = d_->forward(real).sum();
    auto g = torch::autograd::grad({score}, {real}, {}, c10::nullopt, /*create_graph=*/true)[0];
    (5.0 * g.pow(2).sum(1).mean()).backward();
  }
  std::shared_ptr<Mlp> g_, d_;
  torch::optim::Adam g_opt_, d_opt_;
};

int main() {
  torch::manual_seed(211);
  auto g = std::make_shared<Mlp>(3, 16, 2), d = std::make_shared<Mlp>(2, 16, 1);
  Trainer trainer(g, d);
  for (int i = 0; i < 5; ++i) trainer.step(torch::randn({24, 2}) * 0.5 + 1, i);
  //= g, d
}
