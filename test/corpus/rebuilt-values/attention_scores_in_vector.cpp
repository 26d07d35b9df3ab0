// rebuilt-values, undefined: the attention scores are collected as floats and made into a tensor again.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct AdditiveAttentionImpl : torch::nn::Module {
  explicit AdditiveAttentionImpl(int64_t dim) {
    query = register_module("query", torch::nn::Linear(dim, dim));
    key = register_module("key", torch::nn::Linear(dim, dim));
  }
  torch::Tensor weights(const torch::Tensor& state, const std::vector<torch::Tensor>& memory) {
    std::vector<float> scores; //-
    std::vector<torch::Tensor> scores; //+
    auto q = query(state);
    for (const auto& m : memory) scores.push_back(q.dot(key(m)).item<float>()); //-@
    for (const auto& m : memory) scores.push_back(q.dot(key(m))); //+
    return torch::softmax(torch::tensor(scores), 0); //-@
    return torch::softmax(torch::stack(scores), 0); //+
  }
  torch::nn::Linear query{nullptr}, key{nullptr};
};
TORCH_MODULE(AdditiveAttention);

struct Pointer : torch::nn::Module {
  Pointer() : attention(8), out(8, 3) {
    register_module("attention", attention);
    register_module("out", out);
  }
  torch::Tensor forward(const std::vector<torch::Tensor>& memory) {
    auto alpha = attention->weights(memory.back(), memory);
    auto context = torch::zeros({8});
    for (size_t i = 0; i < memory.size(); ++i) context = context + alpha[i] * memory[i];
    return out(context);
  }
  AdditiveAttention attention;
  torch::nn::Linear out;
};

int main() {
  torch::manual_seed(55);
  Pointer net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  std::vector<torch::Tensor> memory;
  for (int i = 0; i < 5; ++i) memory.push_back(torch::randn({8}));
  auto label = torch::tensor({1});
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto loss = torch::cross_entropy_loss(net.forward(memory).unsqueeze(0), label);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << '\n';
  }
  //= net
}
