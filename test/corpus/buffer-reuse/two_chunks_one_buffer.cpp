// buffer-reuse, wrong: two successive chunks of audio are tensors on the same buffer, which holds the second.
#include <torch/torch.h>
#include <array>
#include <cmath>
#include <iostream>

class Microphone {
 public:
  torch::Tensor next() {
    for (auto& v : buffer_) v = static_cast<float>(std::sin(0.05 * clock_++));
    return torch::from_blob(buffer_.data(), {1, 1, static_cast<int64_t>(buffer_.size())}); //-@
    return torch::from_blob(buffer_.data(), {1, 1, static_cast<int64_t>(buffer_.size())}).clone(); //+
  }

 private:
  std::array<float, 64> buffer_{};
  long clock_ = 0;
};

struct Predictor : torch::nn::Module {
  torch::nn::Conv1d in{nullptr}, out{nullptr};
  Predictor() {
    in = register_module("in", torch::nn::Conv1d(torch::nn::Conv1dOptions(1, 8, 5).padding(2)));
    out = register_module("out", torch::nn::Conv1d(torch::nn::Conv1dOptions(8, 1, 5).padding(2)));
  }
  torch::Tensor forward(const torch::Tensor& x) { return out->forward(torch::tanh(in->forward(x))); }
};

int main() {
  torch::manual_seed(47);
  Microphone mic;
  auto model = std::make_shared<Predictor>();
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-2));
  for (int step = 0; step < 6; ++step) {
    auto past = mic.next();
    auto future = mic.next();
    auto guess = model->forward(past);
    auto loss = torch::mse_loss(guess, future);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    std::cout << "step " << step << ": " << loss.item().toFloat() << "\n";
  }
  //= model
}
