// auxiliary-loss, undefined: both sides of the codebook loss are detached, the codebook never learns.
#include <torch/torch.h>
#include <iostream>
#include <tuple>

struct VectorQuantizerImpl : torch::nn::Module {
  VectorQuantizerImpl(int64_t n, int64_t d) {
    codebook = register_parameter("codebook", torch::randn({n, d}));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor z) {
    auto dist = (z.unsqueeze(1) - codebook.unsqueeze(0)).pow(2).sum(-1);
    auto idx = dist.argmin(1);
    auto q = codebook.index_select(0, idx);
    auto codebook_loss = torch::mse_loss(q.detach(), z.detach()); //-@
    auto codebook_loss = torch::mse_loss(q, z.detach()); //+
    auto commitment = torch::mse_loss(z, q.detach());
    auto out = z + (q - z).detach();
    return {out, codebook_loss + 0.25 * commitment};
  }
  torch::Tensor codebook;
};
TORCH_MODULE(VectorQuantizer);

int main() {
  torch::manual_seed(3);
  torch::nn::Linear enc(8, 4), dec(4, 8);
  VectorQuantizer vq(16, 4);
  std::vector<torch::Tensor> all;
  for (auto m : {enc, dec})
    for (auto& p : m->parameters()) all.push_back(p);
  for (auto& p : vq->parameters()) all.push_back(p);
  torch::optim::Adam opt(all, 1e-3);
  auto x = torch::randn({32, 8});
  for (int step = 0; step < 3; ++step) {
    opt.zero_grad();
    auto [q, vq_loss] = vq->forward(enc(x));
    auto loss = torch::mse_loss(dec(q), x) + vq_loss;
    loss.backward();
    opt.step();
    std::cout << step << ": " << loss.item<float>() << "\n";
  }
  //= vq
}
