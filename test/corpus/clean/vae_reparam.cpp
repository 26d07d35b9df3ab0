// clean: a VAE whose statistics are read by item for printing only.
#include <torch/torch.h>
#include <iostream>

struct VAE : torch::nn::Module {
  VAE() {
    enc = register_module("enc", torch::nn::Linear(10, 16));
    mu = register_module("mu", torch::nn::Linear(16, 3));
    lv = register_module("lv", torch::nn::Linear(16, 3));
    dec = register_module("dec", torch::nn::Sequential(torch::nn::Linear(3, 16), torch::nn::Functional(torch::relu), torch::nn::Linear(16, 10), torch::nn::Sigmoid()));
  }
  std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    auto h = torch::relu(enc(x));
    auto m = mu(h), l = lv(h);
    auto z = is_training() ? m + torch::randn_like(m) * (0.5 * l).exp() : m;
    return std::make_tuple(dec->forward(z), m, l);
  }
  torch::nn::Linear enc{nullptr}, mu{nullptr}, lv{nullptr};
  torch::nn::Sequential dec{nullptr};
};

int main() {
  torch::manual_seed(0);
  VAE vae;
  torch::optim::Adam opt(vae.parameters(), 1e-3);
  for (int e = 0; e < 4; ++e) {
    auto x = torch::rand({16, 10});
    torch::Tensor y, m, l;
    std::tie(y, m, l) = vae.forward(x);
    auto rec = torch::binary_cross_entropy(y, x, {}, at::Reduction::Sum);
    auto kld = -0.5 * (1 + l - m.pow(2) - l.exp()).sum();
    auto loss = rec + kld;
    opt.zero_grad();
    loss.backward();
    opt.step();
    double share = kld.item<double>() / loss.item<double>();
    std::cout << "loss " << loss.item<double>() << " kld share " << share << " z " << m.detach().abs().mean().item<double>() << "\n";
  }
  vae.eval();
  torch::NoGradGuard guard;
  auto sample = vae.dec->forward(torch::randn({2, 3}));
  sample.mul_(255).clamp_(0, 255);
  std::cout << sample.sizes() << "\n";
}
