// optimizer-tensors, stale: the helper appends the decoder's parameters to its own copy of the list.
#include <torch/torch.h>
#include <iostream>
#include <vector>

using Params = std::vector<torch::Tensor>;

torch::nn::Sequential mlp(std::vector<int64_t> sizes) {
  torch::nn::Sequential s;
  for (size_t i = 0; i + 1 < sizes.size(); ++i) {
    s->push_back(torch::nn::Linear(sizes[i], sizes[i + 1]));
    if (i + 2 < sizes.size()) s->push_back(torch::nn::ReLU());
  }
  return s;
}

void collect(Params all, const torch::nn::Module& m) { //-@
void collect(Params& all, const torch::nn::Module& m) { //+
  for (auto& p : m.parameters()) all.push_back(p); //@
}

struct VAE {
  torch::nn::Sequential encoder = mlp({10, 16, 4});
  torch::nn::Sequential decoder = mlp({2, 16, 10});

  torch::Tensor elbo(const torch::Tensor& x) {
    auto stats = encoder->forward(x).chunk(2, 1);
    auto z = stats[0] + torch::randn_like(stats[0]) * (0.5 * stats[1]).exp();
    auto reconstruction = torch::binary_cross_entropy_with_logits(decoder->forward(z), x, {}, {}, at::Reduction::Sum);
    auto kl = -0.5 * torch::sum(1 + stats[1] - stats[0].pow(2) - stats[1].exp());
    return (reconstruction + kl) / x.size(0);
  }
};

int main() {
  torch::manual_seed(101);
  VAE vae;
  Params params = vae.encoder->parameters();
  collect(params, *vae.decoder);
  torch::optim::Adam optimizer(params, torch::optim::AdamOptions(2e-3).betas({0.9, 0.98})); //@
  for (int step = 0; step < 6; ++step) {
    auto x = (torch::rand({16, 10}) > 0.5).to(torch::kFloat);
    auto loss = vae.elbo(x);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step % 2 == 0) std::cout << "elbo " << -loss.item<float>() << "\n";
  }
  //= vae.encoder, vae.decoder
}
