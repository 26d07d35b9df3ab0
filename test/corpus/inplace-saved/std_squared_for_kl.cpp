// inplace-saved, throws: the standard deviation is squared in place for the KL term; exp() saved it.
#include <torch/torch.h>
#include <iostream>
#include <tuple>

struct Posterior {
  torch::Tensor mean, log_std, std;
};

class BetaVAEImpl : public torch::nn::Module {
 public:
  BetaVAEImpl(int64_t width, int64_t latent) : latent_(latent) {
    enc_ = register_module("enc", torch::nn::Linear(width, 2 * latent));
    dec_ = register_module("dec", torch::nn::Linear(latent, width));
  }

  std::tuple<torch::Tensor, Posterior> forward(const torch::Tensor& x) {
    auto out = enc_(x);
    Posterior q;
    q.mean = out.slice(1, 0, latent_);
    q.log_std = out.slice(1, latent_).clamp(-4, 4);
    q.std = q.log_std.exp();
    auto z = q.mean + q.std * torch::randn_like(q.std);
    return {dec_(z), q};
  }

 private:
  int64_t latent_;
  torch::nn::Linear enc_{nullptr}, dec_{nullptr};
};
TORCH_MODULE(BetaVAE);

torch::Tensor kl_divergence(Posterior& q) {
  auto variance = q.std.pow_(2); //-@
  auto variance = q.std.pow(2); //+
  return 0.5 * (variance + q.mean * q.mean - 1 - 2 * q.log_std).sum(1).mean();
}

int main() {
  torch::manual_seed(105);
  const double beta = 4;
  BetaVAE vae(12, 3);
  torch::optim::Adam opt(vae->parameters(), torch::optim::AdamOptions(1e-3));
  for (int epoch = 1; epoch <= 4; ++epoch) {
    auto x = torch::rand({20, 12});
    auto [reconstruction, q] = vae->forward(x);
    auto loss = torch::mse_loss(reconstruction, x, at::Reduction::Sum) / x.size(0) + beta * kl_divergence(q);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "Epoch " << epoch << "\tloss " << loss.item<double>() << "\n";
  }
  //= vae
}
