// optimizer-tensors, stale: the trainer clones the model it is given; the optimizer was built over the original's parameters.
#include <torch/torch.h>
#include <iostream>
#include <memory>

struct GRUTaggerImpl : torch::nn::Cloneable<GRUTaggerImpl> {
  GRUTaggerImpl() { reset(); }
  void reset() override {
    emb = register_module("emb", torch::nn::Embedding(20, 6));
    gru = register_module("gru", torch::nn::GRU(torch::nn::GRUOptions(6, 8).batch_first(true)));
    out = register_module("out", torch::nn::Linear(8, 4));
  }
  torch::Tensor forward(const torch::Tensor& t) { return out(std::get<0>(gru(emb(t)))); }
  torch::nn::Embedding emb{nullptr};
  torch::nn::GRU gru{nullptr};
  torch::nn::Linear out{nullptr};
};
TORCH_MODULE(GRUTagger);

class Trainer {
 public:
  Trainer(const GRUTagger& model, std::shared_ptr<torch::optim::Optimizer> opt) : opt_(std::move(opt)) {
    model_ = GRUTagger(std::dynamic_pointer_cast<GRUTaggerImpl>(model->clone())); //-@
    model_ = model; //+
  }
  void epoch(int batches) {
    for (int b = 0; b < batches; ++b) {
      auto tokens = torch::randint(0, 20, {5, 7});
      auto tags = tokens.remainder(4);
      opt_->zero_grad();
      auto logits = model_->forward(tokens).reshape({-1, 4});
      auto loss = torch::nn::functional::cross_entropy(logits, tags.reshape({-1}));
      loss.backward();
      opt_->step();
      std::cout << loss.item<float>() << " ";
    }
    std::cout << "\n";
  }
  GRUTagger model_{nullptr};

 private:
  std::shared_ptr<torch::optim::Optimizer> opt_;
};

int main() {
  torch::manual_seed(301);
  GRUTagger tagger;
  auto opt = std::make_shared<torch::optim::Adam>(tagger->parameters(), torch::optim::AdamOptions(1e-2)); //@
  Trainer trainer(tagger, opt);
  for (int e = 0; e < 2; ++e) trainer.epoch(3);
  //= trainer.model_
}
