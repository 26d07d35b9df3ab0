// optimizer-tensors, stale: the base class builds the optimizer before the derived class has registered its layers.
#include <torch/torch.h>
#include <iostream>
#include <memory>

class Learner : public torch::nn::Module {
 public:
  explicit Learner(int64_t vocabulary, double lr) : lr_(lr) {
    embed_ = register_module("embed", torch::nn::Embedding(vocabulary, 12));
    optimizer_ = std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(lr)); //-@
  }
  virtual ~Learner() = default;
  virtual torch::Tensor forward(const torch::Tensor& ids) = 0;

  float fit(const torch::Tensor& ids, const torch::Tensor& target) {
    if (!optimizer_) //+
      optimizer_ = std::make_unique<torch::optim::Adam>(parameters(), torch::optim::AdamOptions(lr_)); //+
    optimizer_->zero_grad();
    auto loss = torch::nn::functional::cross_entropy(forward(ids), target);
    loss.backward();
    optimizer_->step();
    return loss.item<float>();
  }

 protected:
  torch::nn::Embedding embed_{nullptr};

 private:
  double lr_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

class BagOfWords final : public Learner {
 public:
  BagOfWords(int64_t vocabulary, int64_t classes) : Learner(vocabulary, 1e-2) {
    hidden_ = register_module("hidden", torch::nn::Linear(12, 16));
    out_ = register_module("out", torch::nn::Linear(16, classes));
  }
  torch::Tensor forward(const torch::Tensor& ids) override {
    auto mean = embed_->forward(ids).mean(1);
    return out_(torch::gelu(hidden_(mean)));
  }

 private:
  torch::nn::Linear hidden_{nullptr}, out_{nullptr};
};

int main() {
  torch::manual_seed(12);
  auto model = std::make_shared<BagOfWords>(40, 3);
  auto ids = torch::randint(0, 40, {24, 7});
  auto labels = torch::randint(0, 3, {24});
  for (int epoch = 0; epoch < 6; ++epoch) {
    float loss = model->fit(ids, labels);
    std::cout << "epoch " << epoch << " loss " << loss << '\n';
  }
  //= model
}
