// inplace-saved, throws: the attention weights are masked in place after softmax.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct SelfAttentionImpl : torch::nn::Module {
  SelfAttentionImpl(int64_t d, int64_t heads) : d(d), heads(heads), qkv(d, 3 * d), out(d, d) {
    register_module("qkv", qkv);
    register_module("out", out);
  }
  torch::Tensor forward(torch::Tensor x, torch::Tensor mask) {
    auto B = x.size(0), T = x.size(1);
    auto parts = qkv(x).chunk(3, -1);
    auto split = [&](torch::Tensor t) { return t.view({B, T, heads, d / heads}).transpose(1, 2); };
    auto q = split(parts[0]), k = split(parts[1]), v = split(parts[2]);
    auto att = torch::matmul(q, k.transpose(-2, -1)) / std::sqrt(double(d) / heads);
    att = torch::softmax(att, -1);
    att.masked_fill_(mask, 0); //-@
    att = att.masked_fill(mask, 0); //+
    auto y = torch::matmul(att, v).transpose(1, 2).reshape({B, T, d});
    return out(y);
  }
  int64_t d, heads;
  torch::nn::Linear qkv, out;
};
TORCH_MODULE(SelfAttention);

int main() {
  torch::manual_seed(0);
  SelfAttention attn(8, 2);
  torch::optim::AdamW opt(attn->parameters(), 1e-3);
  auto x = torch::randn({2, 5, 8});
  auto mask = torch::ones({5, 5}).triu(1).to(torch::kBool);
  for (int i = 0; i < 2; ++i) {
    auto loss = attn->forward(x, mask).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= attn
}
