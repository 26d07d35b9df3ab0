// clip-order, wrong: the gradients are clipped before backward has made them.
#include <torch/torch.h>
#include <iostream>

class QNet : public torch::nn::Module {
 public:
  QNet() {
    fc1_ = register_module("fc1", torch::nn::Linear(4, 64));
    fc2_ = register_module("fc2", torch::nn::Linear(64, 2));
  }
  torch::Tensor forward(const torch::Tensor& s) { return fc2_->forward(torch::relu(fc1_->forward(s))); }
 private:
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto q = std::make_shared<QNet>();
  torch::optim::SGD optimizer(q->parameters(), torch::optim::SGDOptions(0.05));
  for (int step = 0; step < 5; ++step) {
    auto s = torch::randn({32, 4}), s2 = torch::randn({32, 4});
    auto a = torch::randint(0, 2, {32, 1});
    auto r = torch::randn({32, 1}) * 20;
    torch::Tensor target;
    {
      torch::NoGradGuard no_grad;
      target = r + 0.99 * std::get<0>(q->forward(s2).max(1, true));
    }
    auto loss = torch::mse_loss(q->forward(s).gather(1, a), target);
    optimizer.zero_grad();
    torch::nn::utils::clip_grad_value_(q->parameters(), 0.1); //-@
    loss.backward();
    torch::nn::utils::clip_grad_value_(q->parameters(), 0.1); //+
    optimizer.step();
    std::cout << "loss: " << loss.item<float>() << "\n";
  }
  //= q
}
