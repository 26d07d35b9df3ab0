// clip-order, wrong: the norm is clipped after the step, when it does nothing any more.
#include <torch/torch.h>
#include <iostream>

struct Seq : torch::nn::Module {
  Seq() : lstm(register_module("lstm", torch::nn::LSTM(torch::nn::LSTMOptions(3, 12).batch_first(true)))),
          fc(register_module("fc", torch::nn::Linear(12, 1))) {}
  torch::Tensor forward(torch::Tensor x) {
    auto out = std::get<0>(lstm->forward(x));
    return fc(out.index({torch::indexing::Slice(), -1}));
  }
  torch::nn::LSTM lstm;
  torch::nn::Linear fc;
};

int main() {
  torch::manual_seed(0);
  Seq model;
  torch::optim::SGD opt(model.parameters(), 0.5);
  auto x = torch::randn({16, 20, 3}) * 3, y = torch::randn({16, 1}) * 10;
  for (int i = 0; i < 5; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(model.forward(x), y);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(model.parameters(), 1.0); //+
    opt.step(); //@
    torch::nn::utils::clip_grad_norm_(model.parameters(), 1.0); //-@
    std::cout << loss.item<float>() << std::endl;
  }
  //= model
}
