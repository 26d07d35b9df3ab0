// clean: a training step in a try block, a check for NaN, an exception of the program's own.
#include <torch/torch.h>
#include <iostream>
#include <stdexcept>

class TrainingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Trainer {
 public:
  Trainer() : net_(std::make_shared<torch::nn::SequentialImpl>(torch::nn::Linear(3, 3), torch::nn::Tanh(), torch::nn::Linear(3, 1))), opt_(net_->parameters(), 0.05) {}
  double step(const torch::Tensor& x, const torch::Tensor& y) {
    opt_.zero_grad();
    auto loss = torch::mse_loss(net_->forward(x), y);
    if (torch::isnan(loss).item<bool>()) throw TrainingError("loss is NaN");
    loss.backward();
    opt_.step();
    return loss.item<double>();
  }
 private:
  std::shared_ptr<torch::nn::SequentialImpl> net_;
  torch::optim::SGD opt_;
};

int main() {
  torch::manual_seed(0);
  Trainer trainer;
  for (int i = 0; i < 4; ++i) {
    try {
      auto x = torch::randn({5, 3});
      std::cout << trainer.step(x, x.sum(1, true)) << "\n";
    } catch (const TrainingError& e) {
      std::cerr << e.what() << "\n";
      return 1;
    } catch (const c10::Error& e) {
      std::cerr << e.what_without_backtrace() << "\n";
      return 2;
    }
  }
  return 0;
}
