// clean: straight-through estimator, stop-gradients on both sides, a codebook updated by EMA under a guard.
#include <torch/torch.h>
#include <iostream>

struct EmaQuantizer : torch::nn::Module {
  EmaQuantizer(int64_t n, int64_t d) {
    embed = register_buffer("embed", torch::randn({n, d}));
    count = register_buffer("count", torch::ones({n}));
    sum = register_buffer("sum", embed.clone());
  }
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor z) {
    auto dist = torch::cdist(z.detach(), embed);
    auto idx = dist.argmin(-1);
    auto q = embed.index_select(0, idx);
    if (is_training()) {
      torch::NoGradGuard guard;
      auto onehot = torch::one_hot(idx, embed.size(0)).to(z.dtype());
      count.mul_(0.9).add_(onehot.sum(0), 0.1);
      sum.mul_(0.9).add_(onehot.t().mm(z.detach()), 0.1);
      embed.copy_(sum / (count.unsqueeze(1) + 1e-5));
    }
    auto commit = torch::mse_loss(z, q.detach());
    return {z + (q - z).detach(), commit};
  }
  torch::Tensor embed, count, sum;
};

int main() {
  torch::manual_seed(0);
  EmaQuantizer vq(8, 3);
  torch::nn::Linear enc(6, 3), dec(3, 6);
  auto params = enc->parameters();
  auto more = dec->parameters();
  params.insert(params.end(), more.begin(), more.end());
  torch::optim::Adam opt(params, 1e-3);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({10, 6});
    auto [q, commit] = vq.forward(enc(x));
    auto loss = torch::mse_loss(dec(q), x) + 0.25 * commit;
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
