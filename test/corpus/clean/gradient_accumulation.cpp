// clean: gradients are accumulated over micro batches on purpose.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(6, 12), torch::nn::GELU(), torch::nn::Linear(12, 1));
  torch::optim::AdamW opt(net->parameters(), torch::optim::AdamWOptions(1e-3).weight_decay(0.05));
  const int accumulate = 4;
  opt.zero_grad();
  float running = 0;
  for (int step = 0; step < 12; ++step) {
    auto x = torch::randn({4, 6});
    auto loss = torch::mse_loss(net->forward(x), x.sum(1, true)) / accumulate;
    loss.backward();
    running += loss.item<float>();
    if ((step + 1) % accumulate == 0) {
      torch::nn::utils::clip_grad_norm_(net->parameters(), 1.0);
      opt.step();
      opt.zero_grad();
      std::cout << "loss " << running << std::endl;
      running = 0;
    }
  }
}
