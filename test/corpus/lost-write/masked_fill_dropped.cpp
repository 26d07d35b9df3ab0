// lost-write, wrong: masked_fill without the underscore, the causal mask is never applied.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct CausalAttentionImpl : torch::nn::Module {
  CausalAttentionImpl(int64_t dim) : q(dim, dim), k(dim, dim), v(dim, dim) {
    register_module("q", q);
    register_module("k", k);
    register_module("v", v);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto scores = torch::matmul(q(x), k(x).transpose(1, 2)) / std::sqrt(static_cast<double>(x.size(2)));
    auto mask = torch::ones({x.size(1), x.size(1)}).triu(1).to(torch::kBool);
    scores.masked_fill(mask, -1e9); //-@
    scores = scores.masked_fill(mask, -1e9); //+
    return torch::matmul(torch::softmax(scores, -1), v(x));
  }
  torch::nn::Linear q, k, v;
};
TORCH_MODULE(CausalAttention);

int main() {
  torch::manual_seed(1);
  CausalAttention attention(8);
  torch::optim::Adam optimizer(attention->parameters(), 1e-3);
  auto x = torch::randn({2, 5, 8});
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_grad();
    auto loss = torch::mse_loss(attention(x), x.roll(1, 1));
    loss.backward();
    optimizer.step();
    std::cout << step << " " << loss.item<double>() << "\n";
  }
  //= attention
}
