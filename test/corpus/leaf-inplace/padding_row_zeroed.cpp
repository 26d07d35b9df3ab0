// leaf-inplace, throws: the row of the padding token is filled in place on the embedding's weight, outside of no_grad.
#include <torch/torch.h>
#include <iostream>

class BagOfWordsImpl : public torch::nn::Module {
 public:
  BagOfWordsImpl(int64_t vocabulary, int64_t width, int64_t padding) : padding_(padding) {
    table_ = register_module("table", torch::nn::Embedding(vocabulary, width));
    out_ = register_module("out", torch::nn::Linear(width, 2));
    reset_padding();
  }

  void reset_padding() {
    torch::NoGradGuard no_grad; //+
    table_->weight[padding_].fill_(0.0); //@
  }

  torch::Tensor forward(const torch::Tensor& tokens) {
    auto mask = tokens.ne(padding_).unsqueeze(-1).to(torch::kFloat);
    auto x = (table_->forward(tokens) * mask).sum(1) / mask.sum(1).clamp_min(1);
    return torch::log_softmax(out_->forward(x), -1);
  }

 private:
  int64_t padding_;
  torch::nn::Embedding table_{nullptr};
  torch::nn::Linear out_{nullptr};
};
TORCH_MODULE(BagOfWords);

int main() {
  torch::manual_seed(31);
  BagOfWords model(20, 6, 0);
  torch::optim::Adam opt(model->parameters(), 2e-2);
  for (int epoch = 0; epoch < 5; ++epoch) {
    auto tokens = torch::randint(0, 20, {12, 7});
    auto labels = (tokens.to(torch::kFloat).mean(1) > 9.5).to(torch::kLong);
    auto loss = torch::nll_loss(model->forward(tokens), labels);
    opt.zero_grad();
    loss.backward();
    opt.step();
    model->reset_padding();
    std::cout << epoch << " " << loss.item<float>() << "\n";
  }
  //= model
}
