// clip-order, wrong: clipping is a callback of the trainer that runs when the batch is over, behind the step.
#include <torch/torch.h>
#include <functional>
#include <iostream>
#include <vector>

class Trainer {
 public:
  using Callback = std::function<void(torch::nn::Module&)>;

  Trainer(std::shared_ptr<torch::nn::SequentialImpl> net, double lr) : net_(net), sgd_(net->parameters(), lr) {}

  void after_backward(Callback f) { after_backward_.push_back(std::move(f)); }
  void after_batch(Callback f) { after_batch_.push_back(std::move(f)); }

  void fit(const torch::Tensor& x, const torch::Tensor& y, int batches) {
    const auto size = x.size(0) / batches;
    for (int b = 0; b < batches; ++b) {
      sgd_.zero_grad();
      auto prediction = net_->forward(x.narrow(0, b * size, size));
      auto loss = torch::mse_loss(prediction, y.narrow(0, b * size, size));
      loss.backward();
      for (auto& f : after_backward_) f(*net_);
      sgd_.step(); //@
      for (auto& f : after_batch_) f(*net_);
      std::cout << b << ": " << loss.item<float>() << "\n";
    }
  }

 private:
  std::shared_ptr<torch::nn::SequentialImpl> net_;
  torch::optim::SGD sgd_;
  std::vector<Callback> after_backward_, after_batch_;
};

int main() {
  torch::manual_seed(111);
  auto net = std::make_shared<torch::nn::SequentialImpl>(torch::nn::Linear(3, 16), torch::nn::ReLU6(), torch::nn::Linear(16, 1));
  Trainer trainer(net, 0.05);
  auto clip = [](torch::nn::Module& m) {
    torch::nn::utils::clip_grad_norm_(m.parameters(), 0.25); //@
  };
  trainer.after_batch(clip); //-@
  trainer.after_backward(clip); //+
  trainer.after_batch([](torch::nn::Module& m) {
    double size = 0;
    for (auto& p : m.parameters()) size += p.abs().sum().item<double>();
    std::cout << "|w| " << size << "\n";
  });
  auto x = torch::randn({60, 3});
  trainer.fit(x, 4 * x.prod(1, true), 5);
  //= net
}
