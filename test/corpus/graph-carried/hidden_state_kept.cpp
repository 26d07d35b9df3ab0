// graph-carried, throws: the hidden state goes into the next batch with the graph of the last one.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct CharModel : torch::nn::Module {
  CharModel(int64_t vocab, int64_t hidden)
      : emb(vocab, hidden), gru(torch::nn::GRUOptions(hidden, hidden).batch_first(true)), out(hidden, vocab) {
    register_module("emb", emb);
    register_module("gru", gru);
    register_module("out", out);
  }
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor x, torch::Tensor h) {
    auto [y, hn] = gru->forward(emb(x), h);
    return {out(y), hn};
  }
  torch::nn::Embedding emb;
  torch::nn::GRU gru;
  torch::nn::Linear out;
};

int main() {
  torch::manual_seed(0);
  CharModel model(20, 16);
  torch::optim::Adam opt(model.parameters(), torch::optim::AdamOptions(1e-3));
  auto corpus = torch::randint(20, {4, 41});
  torch::Tensor h = torch::zeros({1, 4, 16});
  for (int step = 0; step < 4; ++step) {
    auto x = corpus.slice(1, step * 10, step * 10 + 10);
    auto y = corpus.slice(1, step * 10 + 1, step * 10 + 11);
    opt.zero_grad();
    auto [logits, hn] = model.forward(x, h);
    h = hn; //-@
    h = hn.detach(); //+
    auto loss = torch::nn::functional::cross_entropy(logits.reshape({-1, 20}), y.reshape({-1}));
    loss.backward(); //@
    opt.step();
    std::cout << "step " << step << ": " << loss.item<float>() << std::endl;
  }
  //= model
}
