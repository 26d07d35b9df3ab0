// optimizer-tensors, stale: the deep head is assigned to the member after the shallow one was registered.
#include <torch/torch.h>
#include <iostream>

using namespace torch;

struct EncoderImpl : nn::Module {
  EncoderImpl(int64_t vocabulary, int64_t width, int classes, bool deep)
      : embed(vocabulary, width), attention(nn::MultiheadAttentionOptions(width, 2)), norm(nn::LayerNormOptions({width})) {
    register_module("embed", embed);
    register_module("attention", attention);
    register_module("norm", norm);
    head = register_module("head", nn::Sequential(nn::Linear(width, classes))); //@
    if (deep) {
      head = nn::Sequential(nn::Linear(width, 2 * width), nn::GELU(), nn::Linear(2 * width, classes)); //@
      replace_module("head", head); //+
    }
  }

  Tensor forward(Tensor tokens) {
    auto x = embed->forward(tokens).transpose(0, 1);
    Tensor mixed, weights;
    std::tie(mixed, weights) = attention->forward(x, x, x);
    x = norm->forward(x + mixed);
    return head->forward(x.mean(0));
  }

  nn::Embedding embed;
  nn::MultiheadAttention attention;
  nn::LayerNorm norm;
  nn::Sequential head{nullptr};
};
TORCH_MODULE(Encoder);

double train(Encoder& model, optim::Optimizer& opt, int steps) {
  double last = 0;
  for (int s = 0; s < steps; ++s) {
    auto tokens = torch::randint(0, 30, {8, 6});
    auto labels = tokens.sum(1).remainder(3);
    auto loss = nll_loss(log_softmax(model->forward(tokens), 1), labels);
    opt.zero_grad();
    loss.backward();
    opt.step();
    last = loss.item<double>();
  }
  return last;
}

int main() {
  manual_seed(5);
  Encoder model(30, 8, 3, true);
  optim::AdamW opt(model->parameters(), optim::AdamWOptions(1e-3)); //@
  for (int epoch = 0; epoch < 3; ++epoch) std::cout << "loss: " << train(model, opt, 4) << "\n";
  //= model, model->head
}
