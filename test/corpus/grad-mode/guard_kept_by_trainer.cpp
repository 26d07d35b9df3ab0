// grad-mode, throws: the trainer's guard for validation is a member and outlives the validation.
#include <torch/torch.h>
#include <iostream>
#include <memory>
#include <optional>

struct Regressor : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  torch::nn::Dropout drop{0.1};
  Regressor() {
    a = register_module("a", torch::nn::Linear(4, 16));
    b = register_module("b", torch::nn::Linear(16, 1));
    register_module("drop", drop);
  }
  torch::Tensor forward(torch::Tensor x) { return b(drop(torch::selu(a(x)))); }
};

class Trainer {
 public:
  explicit Trainer(std::shared_ptr<Regressor> model) : model_(model), optimizer_(model->parameters(), 1e-3) {}

  void begin_training() {
    model_->train();
    no_grad_.reset(); //+
  }

  void begin_validation() {
    model_->eval();
    no_grad_ = std::make_unique<torch::NoGradGuard>(); //@
  }

  float run(const torch::Tensor& x, const torch::Tensor& y) {
    auto loss = torch::smooth_l1_loss(model_->forward(x), y);
    if (model_->is_training()) {
      optimizer_.zero_grad();
      loss.backward();
      optimizer_.step();
    }
    return loss.item<float>();
  }

 private:
  std::shared_ptr<Regressor> model_;
  torch::optim::Adam optimizer_;
  std::unique_ptr<torch::NoGradGuard> no_grad_;
};

int main() {
  torch::manual_seed(23);
  auto model = std::make_shared<Regressor>();
  Trainer trainer(model);
  auto x = torch::randn({24, 4}), y = x.sum(1, true);
  for (int epoch = 0; epoch < 3; ++epoch) {
    trainer.begin_training();
    auto train = trainer.run(x, y);
    trainer.begin_validation();
    auto valid = trainer.run(x + 0.1, y);
    std::cout << "train " << train << " valid " << valid << "\n";
  }
  //= model
}
