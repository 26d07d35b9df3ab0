// clean: a codebook without gradients, moved by running averages; the encoder learns through the straight-through sum.
#include <torch/torch.h>
#include <iostream>
#include <tuple>

class QuantizerImpl : public torch::nn::Module {
 public:
  QuantizerImpl(int64_t codes, int64_t width) {
    codebook = register_buffer("codebook", torch::randn({codes, width}));
    counts = register_buffer("counts", torch::ones({codes}));
    sums = register_buffer("sums", codebook.clone());
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(const torch::Tensor& z) {
    auto distances = torch::cdist(z.detach(), codebook);
    auto indices = distances.argmin(1);
    auto q = codebook.index_select(0, indices);
    auto commitment = torch::mse_loss(z, q);
    auto out = z + (q - z).detach();
    if (is_training()) learn(z.detach(), indices);
    return {out, commitment};
  }

 private:
  void learn(const torch::Tensor& z, const torch::Tensor& indices) {
    auto hot = torch::one_hot(indices, codebook.size(0)).to(torch::kFloat);
    counts.mul_(0.9).add_(hot.sum(0), 0.1);
    sums.mul_(0.9).add_(hot.t().mm(z), 0.1);
    codebook = sums / counts.clamp_min(1e-3).unsqueeze(1);
  }
  torch::Tensor codebook, counts, sums;
};
TORCH_MODULE(Quantizer);

struct VQVAE : torch::nn::Module {
  torch::nn::Linear encoder{10, 4}, decoder{4, 10};
  Quantizer quantizer{16, 4};
  VQVAE() {
    register_module("encoder", encoder);
    register_module("decoder", decoder);
    register_module("quantizer", quantizer);
  }
};

int main() {
  torch::manual_seed(203);
  VQVAE model;
  torch::optim::Adam opt(model.parameters(), 3e-3);
  for (int i = 0; i < 6; ++i) {
    auto x = torch::randn({32, 10});
    auto [q, commitment] = model.quantizer(torch::tanh(model.encoder(x)));
    auto loss = torch::mse_loss(model.decoder(q), x) + 0.25 * commitment;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "vq " << loss.item<float>() << "\n";
  }
  //= model
}
