// graph-carried, throws: with retain_graph the carried state reaches weights that Adam has changed since.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::RNN rnn(torch::nn::RNNOptions(3, 6));
  torch::nn::Linear out(6, 1);
  std::vector<torch::Tensor> params = rnn->parameters();
  for (auto& p : out->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, 1e-2);
  torch::Tensor h;
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({4, 2, 3}), y = torch::randn({4, 2, 1});
    torch::Tensor o;
    std::tie(o, h) = h.defined() ? rnn->forward(x, h) : rnn->forward(x); //@
    auto loss = torch::mse_loss(out(o), y);
    opt.zero_grad();
    loss.backward({}, /*retain_graph=*/true); //@
    opt.step(); //@
    h = h.detach(); //+
    std::cout << loss.item<float>() << "\n";
  }
  //= rnn
}
