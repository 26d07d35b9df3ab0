// clean: the decoder writes its outputs into a preallocated tensor which nobody reads before the loop is over.
#include <torch/torch.h>
#include <iostream>

struct Seq2Seq : torch::nn::Module {
  Seq2Seq(int64_t vocabulary, int64_t width) : vocabulary_(vocabulary) {
    embed = register_module("embed", torch::nn::Embedding(vocabulary, width));
    encoder = register_module("encoder", torch::nn::LSTM(torch::nn::LSTMOptions(width, width)));
    cell = register_module("cell", torch::nn::LSTMCell(width, width));
    out = register_module("out", torch::nn::Linear(width, vocabulary));
  }
  torch::Tensor forward(const torch::Tensor& source, const torch::Tensor& target, double teacher_forcing) {
    const auto length = target.size(0), batch = target.size(1);
    auto outputs = torch::zeros({length, batch, vocabulary_});
    auto state = std::get<1>(encoder->forward(embed(source)));
    auto h = std::get<0>(state)[0], c = std::get<1>(state)[0];
    auto token = target[0];
    for (int64_t t = 1; t < length; ++t) {
      std::tie(h, c) = cell->forward(embed(token), std::make_tuple(h, c));
      auto logits = out(h);
      outputs[t] = logits;
      bool force = torch::rand({1}).item<double>() < teacher_forcing;
      token = force ? target[t] : logits.argmax(1);
    }
    return outputs;
  }
  int64_t vocabulary_;
  torch::nn::Embedding embed{nullptr};
  torch::nn::LSTM encoder{nullptr};
  torch::nn::LSTMCell cell{nullptr};
  torch::nn::Linear out{nullptr};
};

int main() {
  torch::manual_seed(208);
  auto model = std::make_shared<Seq2Seq>(10, 12);
  torch::optim::Adam optimizer(model->parameters(), 5e-3);
  torch::nn::CrossEntropyLoss criterion(torch::nn::CrossEntropyLossOptions().ignore_index(0));
  for (int i = 0; i < 4; ++i) {
    auto source = torch::randint(1, 10, {6, 5});
    auto target = torch::cat({torch::ones({1, 5}, torch::kLong), source.flip(0)});
    auto output = model->forward(source, target, 0.5);
    auto loss = criterion(output.slice(0, 1).reshape({-1, 10}), target.slice(0, 1).reshape({-1}));
    optimizer.zero_grad();
    loss.backward();
    torch::nn::utils::clip_grad_norm_(model->parameters(), 1);
    optimizer.step();
    std::cout << "loss " << loss.item<float>() << '\n';
  }
  //= model
}
