// clean: a GAN whose critic estimates spectral norms in buffers under a guard, with detached fakes and separate steps.
#include <torch/torch.h>
#include <iostream>

struct SNLinearImpl : torch::nn::Module {
  SNLinearImpl(int64_t in, int64_t out) {
    weight = register_parameter("weight", torch::randn({out, in}) * 0.2);
    bias = register_parameter("bias", torch::zeros({out}));
    u = register_buffer("u", torch::nn::functional::normalize(torch::randn({out}), torch::nn::functional::NormalizeFuncOptions().dim(0)));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    torch::Tensor v, u_now;
    {
      torch::NoGradGuard guard;
      v = torch::mv(weight.t(), u);
      v.div_(v.norm() + 1e-12);
      u_now = torch::mv(weight, v);
      u_now.div_(u_now.norm() + 1e-12);
      if (is_training()) u.copy_(u_now);
    }
    auto sigma = torch::dot(u_now, torch::mv(weight, v));
    return torch::linear(x, weight / sigma, bias);
  }
  torch::Tensor weight, bias, u;
};
TORCH_MODULE(SNLinear);

struct CriticImpl : torch::nn::Module {
  CriticImpl() : a(2, 24), b(24, 1) {
    register_module("a", a);
    register_module("b", b);
  }
  torch::Tensor forward(torch::Tensor x) { return b(torch::leaky_relu(a(x), 0.2)); }
  SNLinear a, b;
};
TORCH_MODULE(Critic);

int main() {
  torch::manual_seed(66);
  torch::nn::Sequential generator(torch::nn::Linear(4, 24), torch::nn::ReLU(), torch::nn::Linear(24, 2));
  Critic critic;
  torch::optim::Adam g(generator->parameters(), torch::optim::AdamOptions(1e-3).betas({0.5, 0.9}));
  torch::optim::Adam d(critic->parameters(), torch::optim::AdamOptions(2e-3).betas({0.5, 0.9}));
  auto bce = [](const torch::Tensor& logit, double label) {
    return torch::binary_cross_entropy_with_logits(logit, torch::full_like(logit, label));
  };
  auto real = torch::randn({32, 2}) * 0.5 + torch::tensor({1.0f, -1.0f});
  for (int it = 0; it < 4; ++it) {
    auto fake = generator->forward(torch::randn({32, 4}));
    d.zero_grad();
    auto d_loss = bce(critic(real), 0.9) + bce(critic(fake.detach()), 0.0);
    d_loss.backward();
    d.step();
    g.zero_grad();
    auto g_loss = bce(critic(fake), 1.0);
    g_loss.backward();
    g.step();
    std::cout << d_loss.item<float>() << " " << g_loss.item<float>() << "\n";
  }
}
