// The first model hangs, the second crashes, the third is fine, the fourth accumulates gradients:
// each where its word stands.
#include <torch_tidy/confirm.h>

#include <chrono>
#include <cstdlib>
#include <thread>

static void train_one(bool clear = true) {
  torch::nn::Linear net(4, 1);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  torch_tidy::train(net, [&](torch_tidy::Step &step) {
    if (clear) {
      optimizer.zero_grad();
    }
    step.backward(net->forward(x).pow(2).mean());
    step.update(optimizer);
  });
}

TORCH_TIDY_MODEL(fine) { train_one(); }

TORCH_TIDY_MODEL(rough) {
  const bool hang = false;
  const bool crash = false;
  const bool clear = true;
  while (hang) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
  if (crash) {
    std::abort();
  }
  train_one(clear);
}

TORCH_TIDY_MODEL(fine_too) { train_one(); }
