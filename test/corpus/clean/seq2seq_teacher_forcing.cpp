// clean: an encoder and a decoder with teacher forcing; predictions are fed back through argmax.
#include <torch/torch.h>
#include <iostream>
#include <random>

struct EncoderImpl : torch::nn::Module {
  EncoderImpl(int v, int h) : emb(register_module("emb", torch::nn::Embedding(v, h))), gru(register_module("gru", torch::nn::GRU(h, h))) {}
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x, torch::Tensor h) { return gru->forward(emb(x).view({1, 1, -1}), h); }
  torch::nn::Embedding emb;
  torch::nn::GRU gru;
};
TORCH_MODULE(Encoder);

struct DecoderImpl : torch::nn::Module {
  DecoderImpl(int v, int h) : emb(register_module("emb", torch::nn::Embedding(v, h))), gru(register_module("gru", torch::nn::GRU(h, h))), out(register_module("out", torch::nn::Linear(h, v))) {}
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor x, torch::Tensor h) {
    auto y = torch::relu(emb(x).view({1, 1, -1}));
    auto r = gru(y, h);
    return std::make_pair(torch::log_softmax(out(std::get<0>(r)[0]), 1), std::get<1>(r));
  }
  torch::nn::Embedding emb;
  torch::nn::GRU gru;
  torch::nn::Linear out;
};
TORCH_MODULE(Decoder);

int main() {
  torch::manual_seed(0);
  std::mt19937 rng(0);
  Encoder enc(10, 8);
  Decoder dec(10, 8);
  torch::optim::SGD enc_opt(enc->parameters(), 0.01), dec_opt(dec->parameters(), 0.01);
  torch::nn::NLLLoss criterion;
  for (int it = 0; it < 3; ++it) {
    auto in = torch::randint(0, 10, {4, 1}), target = torch::randint(0, 10, {4, 1});
    enc_opt.zero_grad();
    dec_opt.zero_grad();
    auto h = torch::zeros({1, 1, 8});
    torch::Tensor y;
    for (int64_t i = 0; i < in.size(0); ++i) std::tie(y, h) = enc->forward(in[i], h);
    auto x = torch::zeros({1}, torch::kLong);
    torch::Tensor loss = torch::zeros({});
    bool teacher = rng() % 2 == 0;
    for (int64_t i = 0; i < target.size(0); ++i) {
      auto [p, hn] = dec->forward(x, h);
      h = hn;
      loss = loss + criterion(p, target[i]);
      x = teacher ? target[i] : p.argmax(1).detach();
    }
    loss.backward();
    enc_opt.step();
    dec_opt.step();
    std::cout << loss.item<float>() / target.size(0) << "\n";
  }
}
