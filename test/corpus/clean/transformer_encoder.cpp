// clean: a small transformer with masks, positional buffers and scheduler.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

struct PositionalEncodingImpl : torch::nn::Module {
  PositionalEncodingImpl(int64_t d, int64_t n) {
    auto pos = torch::arange(n, torch::kFloat).unsqueeze(1);
    auto div = torch::exp(torch::arange(0, d, 2, torch::kFloat) * (-std::log(10000.0) / d));
    auto pe = torch::zeros({n, d});
    pe.index_put_({torch::indexing::Slice(), torch::indexing::Slice(0, torch::indexing::None, 2)}, torch::sin(pos * div));
    pe.index_put_({torch::indexing::Slice(), torch::indexing::Slice(1, torch::indexing::None, 2)}, torch::cos(pos * div));
    pe_ = register_buffer("pe", pe.unsqueeze(1));
  }
  torch::Tensor forward(torch::Tensor x) { return x + pe_.slice(0, 0, x.size(0)); }
  torch::Tensor pe_;
};
TORCH_MODULE(PositionalEncoding);

struct Model : torch::nn::Module {
  Model() {
    embed = register_module("embed", torch::nn::Embedding(20, 16));
    pos = register_module("pos", PositionalEncoding(16, 32));
    auto layer = torch::nn::TransformerEncoderLayer(torch::nn::TransformerEncoderLayerOptions(16, 2).dim_feedforward(32).dropout(0.1));
    encoder = register_module("encoder", torch::nn::TransformerEncoder(torch::nn::TransformerEncoderOptions(layer, 2)));
    out = register_module("out", torch::nn::Linear(16, 20));
  }
  torch::Tensor forward(torch::Tensor ids) {
    auto T = ids.size(0);
    auto mask = torch::full({T, T}, -1e9).triu_(1);
    auto x = pos(embed(ids) * std::sqrt(16.0));
    return out(encoder->forward(x, mask));
  }
  torch::nn::Embedding embed{nullptr};
  PositionalEncoding pos{nullptr};
  torch::nn::TransformerEncoder encoder{nullptr};
  torch::nn::Linear out{nullptr};
};

int main() {
  torch::manual_seed(0);
  Model model;
  torch::optim::AdamW opt(model.parameters(), torch::optim::AdamWOptions(1e-3).betas({0.9, 0.98}));
  torch::optim::StepLR scheduler(opt, 2, 0.5);
  auto ids = torch::randint(0, 20, {8, 3});
  for (int i = 0; i < 3; ++i) {
    auto logits = model.forward(ids.slice(0, 0, 7));
    auto loss = torch::nn::functional::cross_entropy(logits.reshape({-1, 20}), ids.slice(0, 1, 8).reshape({-1}));
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(model.parameters(), 0.5);
    opt.step();
    scheduler.step();
    std::cout << loss.item<float>() << "\n";
  }
}
