// clean: the hidden state is detached between chunks, in place of the structured binding.
#include <torch/torch.h>
#include <iostream>

struct LM : torch::nn::Module {
  LM() {
    emb = register_module("emb", torch::nn::Embedding(12, 8));
    lstm = register_module("lstm", torch::nn::LSTM(torch::nn::LSTMOptions(8, 8).num_layers(2).batch_first(true)));
    out = register_module("out", torch::nn::Linear(8, 12));
  }
  torch::nn::Embedding emb{nullptr};
  torch::nn::LSTM lstm{nullptr};
  torch::nn::Linear out{nullptr};
};

int main() {
  torch::manual_seed(0);
  LM lm;
  torch::optim::SGD opt(lm.parameters(), 1.0);
  auto text = torch::randint(0, 12, {3, 31});
  auto h = torch::zeros({2, 3, 8}), c = torch::zeros({2, 3, 8});
  for (int i = 0; i + 5 < 31; i += 5) {
    h = h.detach();
    c.detach_();
    auto [y, state] = lm.lstm->forward(lm.emb(text.slice(1, i, i + 5)), std::make_tuple(h, c));
    std::tie(h, c) = state;
    auto loss = torch::nn::functional::cross_entropy(lm.out(y).flatten(0, 1), text.slice(1, i + 1, i + 6).flatten());
    opt.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(lm.parameters(), 0.25);
    for (auto& p : lm.parameters()) {
      torch::NoGradGuard guard;
      p.add_(p.grad(), -0.1);
    }
    std::cout << loss.item<float>() << "\n";
  }
}
