// clean: hard one-hot samples in forward, soft gradients in backward.
#include <torch/torch.h>
#include <iostream>

torch::Tensor gumbel(const torch::Tensor& logits, double tau, bool hard) {
  auto noise = -torch::log(-torch::log(torch::rand_like(logits) + 1e-20) + 1e-20);
  auto soft = torch::softmax((logits + noise) / tau, -1);
  if (!hard) return soft;
  auto index = soft.argmax(-1, true);
  auto one_hot = torch::zeros_like(soft).scatter_(-1, index, 1.0);
  return one_hot - soft.detach() + soft;
}

int main() {
  torch::manual_seed(0);
  torch::nn::Linear enc(6, 4), dec(4, 6);
  std::vector<torch::Tensor> params = enc->parameters();
  for (auto& p : dec->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, 1e-2);
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({8, 6});
    auto z = gumbel(enc(x), 1.0 / (i + 1), i % 2 == 0);
    auto loss = torch::mse_loss(dec(z), x);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
