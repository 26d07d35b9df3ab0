// auxiliary-loss, wrong: the KL term is built on a detached latent, so it never reaches the encoder.
#include <torch/torch.h>
#include <iostream>

struct VAEOutput { torch::Tensor recon, mu, logvar; };

struct VAEImpl : torch::nn::Module {
  VAEImpl(int64_t in, int64_t h, int64_t z)
      : fc1(in, h), fc21(h, z), fc22(h, z), fc3(z, h), fc4(h, in) {
    register_module("fc1", fc1);
    register_module("fc21", fc21);
    register_module("fc22", fc22);
    register_module("fc3", fc3);
    register_module("fc4", fc4);
  }
  VAEOutput forward(torch::Tensor x) {
    auto h = torch::relu(fc1(x));
    auto mu = fc21(h), logvar = fc22(h);
    auto std = logvar.div(2).exp();
    auto z = std.mul(torch::randn_like(std)).add(mu);
    auto y = torch::sigmoid(fc4(torch::relu(fc3(z))));
    return {y, mu, logvar};
  }
  torch::nn::Linear fc1, fc21, fc22, fc3, fc4;
};
TORCH_MODULE(VAE);

torch::Tensor loss_function(const VAEOutput& out, torch::Tensor x) {
  auto bce = torch::nn::functional::binary_cross_entropy(out.recon, x,
      torch::nn::functional::BinaryCrossEntropyFuncOptions().reduction(torch::kSum));
  auto mu = out.mu.detach(), logvar = out.logvar.detach(); //-@
  auto mu = out.mu, logvar = out.logvar; //+
  auto kld = -0.5 * torch::sum(1 + logvar - mu.pow(2) - logvar.exp());
  return bce + kld;
}

int main() {
  torch::manual_seed(1);
  VAE vae(20, 16, 4);
  torch::optim::Adam optimizer(vae->parameters(), 1e-3);
  auto data = torch::rand({32, 20});
  for (int epoch = 0; epoch < 5; ++epoch) {
    auto out = vae->forward(data);
    auto loss = loss_function(out, data);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    std::cout << "Loss: " << loss.item<double>() / data.size(0) << std::endl;
  }
  //= vae
}
