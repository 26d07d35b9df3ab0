// inplace-saved, throws: states are collected in one preallocated tensor that an earlier step has already saved.
#include <torch/torch.h>
#include <iostream>

struct Rnn : torch::nn::Module {
  Rnn(int in, int h) : h_(h) {
    wx = register_module("wx", torch::nn::Linear(in, h));
    wh = register_module("wh", torch::nn::Linear(h, h));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const auto T = x.size(0);
    auto states = torch::zeros({T + 1, x.size(1), h_}); //-
    std::vector<torch::Tensor> states{torch::zeros({x.size(1), h_})}; //+
    for (int64_t t = 0; t < T; ++t) {
      states[t + 1] = torch::tanh(wx(x[t]) + wh(states[t])); //-@
      states.push_back(torch::tanh(wx(x[t]) + wh(states[t]))); //+
    }
    return states[T];
  }
  int64_t h_;
  torch::nn::Linear wx{nullptr}, wh{nullptr};
};

int main() {
  torch::manual_seed(1);
  Rnn rnn(2, 5);
  torch::optim::SGD opt(rnn.parameters(), 0.05);
  auto x = torch::randn({6, 3, 2}), y = torch::randn({3, 5});
  for (int e = 0; e < 2; ++e) {
    opt.zero_grad();
    auto loss = torch::mse_loss(rnn.forward(x), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= rnn
}
