// clean: a language model whose output layer shares the embedding's weight; attention mask filled in place on fresh scores.
#include <torch/torch.h>
#include <cmath>
#include <iostream>
#include <limits>

struct TinyLMImpl : torch::nn::Module {
  TinyLMImpl(int64_t vocabulary, int64_t width) : width_(width) {
    embed = register_module("embed", torch::nn::Embedding(vocabulary, width));
    position = register_parameter("position", torch::zeros({16, width}));
    qkv = register_module("qkv", torch::nn::Linear(width, 3 * width));
    proj = register_module("proj", torch::nn::Linear(width, width));
    output = register_module("output", torch::nn::Linear(torch::nn::LinearOptions(width, vocabulary).bias(false)));
    output->weight = embed->weight;
  }

  torch::Tensor attend(const torch::Tensor& x) {
    auto parts = qkv(x).chunk(3, -1);
    auto scores = parts[0].matmul(parts[1].transpose(-2, -1)) / std::sqrt(static_cast<double>(width_));
    auto mask = torch::ones({x.size(1), x.size(1)}, torch::kBool).triu(1);
    scores.masked_fill_(mask, -std::numeric_limits<float>::infinity());
    return proj(torch::softmax(scores, -1).matmul(parts[2]));
  }

  torch::Tensor forward(const torch::Tensor& tokens) {
    auto x = embed(tokens) * std::sqrt(static_cast<double>(width_));
    x += position.slice(0, 0, tokens.size(1));
    x = x + attend(x);
    return output(x);
  }

  int64_t width_;
  torch::nn::Embedding embed{nullptr};
  torch::nn::Linear qkv{nullptr}, proj{nullptr}, output{nullptr};
  torch::Tensor position;
};
TORCH_MODULE(TinyLM);

int main() {
  torch::manual_seed(200);
  TinyLM lm(12, 8);
  lm->output->weight = lm->embed->weight;
  std::vector<torch::Tensor> weights;
  for (auto& item : lm->named_parameters())
    if (item.key() != "output.weight") weights.push_back(item.value());
  torch::optim::AdamW opt(weights, torch::optim::AdamWOptions(1e-2));
  for (int i = 0; i < 5; ++i) {
    auto tokens = (torch::arange(9).unsqueeze(0) + torch::randint(0, 12, {6, 1})).remainder(12);
    auto logits = lm(tokens.narrow(1, 0, 8));
    auto loss = torch::nn::functional::cross_entropy(logits.reshape({-1, 12}), tokens.narrow(1, 1, 8).reshape({-1}));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "perplexity " << std::exp(loss.item<double>()) << "\n";
  }
  //= lm->embed, lm->qkv
}
