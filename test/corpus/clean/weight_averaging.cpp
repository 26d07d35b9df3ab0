// clean: stochastic weight averaging into a second net, swapped in for evaluation and swapped out again.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct NetImpl : torch::nn::Cloneable<NetImpl> {
  NetImpl() { reset(); }
  void reset() override {
    conv = register_module("conv", torch::nn::Conv1d(1, 4, 3));
    bn = register_module("bn", torch::nn::BatchNorm1d(4));
    fc = register_module("fc", torch::nn::Linear(4 * 6, 1));
  }
  torch::Tensor forward(const torch::Tensor& x) { return fc(torch::relu(bn(conv(x))).flatten(1)); }
  torch::nn::Conv1d conv{nullptr};
  torch::nn::BatchNorm1d bn{nullptr};
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(Net);

class Averager {
 public:
  explicit Averager(Net& net) : net_(net) {
    for (auto& p : net_->parameters()) mean_.push_back(p.detach().clone());
  }
  void update() {
    torch::NoGradGuard guard;
    ++n_;
    auto params = net_->parameters();
    for (size_t i = 0; i < params.size(); ++i) mean_[i].add_((params[i] - mean_[i]) / n_);
  }
  void swap() {
    torch::NoGradGuard guard;
    auto params = net_->parameters();
    for (size_t i = 0; i < params.size(); ++i) {
      auto tmp = params[i].clone();
      params[i].copy_(mean_[i]);
      mean_[i].copy_(tmp);
    }
  }

 private:
  Net net_;
  std::vector<torch::Tensor> mean_;
  int n_ = 0;
};

float validate(Net& net, const torch::Tensor& x, const torch::Tensor& y) {
  torch::NoGradGuard guard;
  net->eval();
  float loss = torch::mse_loss(net(x), y).item<float>();
  net->train();
  return loss;
}

int main() {
  torch::manual_seed(206);
  Net net;
  Averager average(net);
  torch::optim::SGD opt(net->parameters(), torch::optim::SGDOptions(0.02).momentum(0.9));
  auto x = torch::randn({40, 1, 8}), y = x.mean({1, 2}).unsqueeze(1);
  for (int epoch = 0; epoch < 4; ++epoch) {
    for (int64_t b = 0; b < 40; b += 20) {
      opt.zero_grad();
      auto loss = torch::mse_loss(net(x.slice(0, b, b + 20)), y.slice(0, b, b + 20));
      loss.backward();
      opt.step();
    }
    average.update();
    float now = validate(net, x, y);
    average.swap();
    float averaged = validate(net, x, y);
    average.swap();
    std::cout << epoch << ": " << now << ", averaged " << averaged << std::endl;
  }
  //= net
}
