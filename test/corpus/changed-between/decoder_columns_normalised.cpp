// changed-between, wrong: the decoder's rows are normalised through data() between forward and backward.
#include <torch/torch.h>
#include <iostream>

struct SparseAutoencoderImpl : torch::nn::Module {
  SparseAutoencoderImpl(int64_t d, int64_t m) {
    W_enc = register_parameter("W_enc", torch::randn({d, m}) * 0.3);
    W_dec = register_parameter("W_dec", torch::randn({m, d}) * 0.3);
    b_enc = register_parameter("b_enc", torch::zeros({m}));
    b_dec = register_parameter("b_dec", torch::zeros({d}));
  }
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    auto acts = torch::relu(torch::matmul(x - b_dec, W_enc) + b_enc);
    return {torch::matmul(acts, W_dec) + b_dec, acts};
  }
  void unit_norm_decoder() {
    auto w = W_dec.data();
    w.div_(w.norm(2, 1, true)); //@
  }
  torch::Tensor W_enc, W_dec, b_enc, b_dec;
};
TORCH_MODULE(SparseAutoencoder);

int main() {
  torch::manual_seed(9);
  SparseAutoencoder sae(10, 24);
  torch::optim::Adam opt(sae->parameters(), torch::optim::AdamOptions(1e-3).betas({0.9, 0.99}));
  auto activations = torch::randn({128, 10});
  const double l1_coefficient = 3e-3;
  for (int64_t step = 0; step < 5; ++step) {
    auto batch = activations.index({torch::randperm(128).slice(0, 0, 32)});
    auto [reconstruction, acts] = sae->forward(batch);
    auto l2 = (reconstruction - batch).pow(2).sum(-1).mean();
    auto l1 = acts.abs().sum(-1).mean();
    auto loss = l2 + l1_coefficient * l1;
    sae->unit_norm_decoder(); //-
    opt.zero_grad();
    loss.backward();
    opt.step();
    sae->unit_norm_decoder(); //+
    std::cout << "step " << step << " l2 " << l2.item<float>() << " l1 " << l1.item<float>() << std::endl;
  }
  //= sae
}
