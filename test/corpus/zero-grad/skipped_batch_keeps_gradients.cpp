// zero-grad, stale: a batch with too large a gradient is skipped, but its gradient stays and joins the next one.
#include <torch/torch.h>
#include <iostream>

struct Forecaster : torch::nn::Module {
  Forecaster() : gru(torch::nn::GRUOptions(2, 12)), readout(12, 1) {
    register_module("gru", gru);
    register_module("readout", readout);
  }
  torch::Tensor forward(const torch::Tensor& series) {
    auto [out, h] = gru->forward(series);
    return readout(out[-1]);
  }
  torch::nn::GRU gru;
  torch::nn::Linear readout;
};

double gradient_norm(const torch::nn::Module& m) {
  double total = 0;
  for (const auto& p : m.parameters())
    if (p.grad().defined()) total += p.grad().pow(2).sum().item<double>();
  return std::sqrt(total);
}

struct Stats {
  int stepped = 0, skipped = 0;
};

Stats train(Forecaster& model, torch::optim::Optimizer& optimizer, int batches, double limit) {
  Stats stats;
  for (int b = 0; b < batches; ++b) {
    auto series = torch::randn({7, 5, 2}) * (b % 3 == 1 ? 30.0 : 1.0);
    auto target = series.sum(0).sum(1, true);
    auto loss = torch::mse_loss(model.forward(series), target);
    optimizer.zero_grad(); //+
    loss.backward(); //@
    if (gradient_norm(model) > limit) {
      ++stats.skipped;
      continue; //@
    }
    optimizer.step(); //@
    optimizer.zero_grad(); //@
    ++stats.stepped;
  }
  return stats;
}

int main() {
  torch::manual_seed(104);
  Forecaster model;
  torch::optim::RMSprop optimizer(model.parameters(), torch::optim::RMSpropOptions(1e-3));
  auto stats = train(model, optimizer, 8, 50);
  std::cout << stats.stepped << " steps, " << stats.skipped << " skipped" << std::endl;
  //= model
}
