// Gradients that float16 cannot hold without a scaler.
#include <torch_tidy/confirm.h>

TORCH_TIDY_MODEL(faint) {
  torch::nn::Sequential net(torch::nn::Linear(4, 8), torch::nn::Tanh(), torch::nn::Linear(8, 1));
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  torch_tidy::train(net, optimizer,
                    [=]() mutable { return (net->forward(x).to(torch::kFloat) * 1e-7).mean(); });
}
