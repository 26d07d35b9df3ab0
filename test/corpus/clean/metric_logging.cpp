// clean: losses and predictions collected for plotting, all detached or read as numbers.
#include <torch/torch.h>
#include <iostream>
#include <algorithm>
#include <numeric>

struct Meter {
  void add(const torch::Tensor& t) { values.push_back(t.item<double>()); }
  double mean() const { return std::accumulate(values.begin(), values.end(), 0.0) / std::max<size_t>(1, values.size()); }
  std::vector<double> values;
};

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential net(torch::nn::Linear(4, 8), torch::nn::Softplus(), torch::nn::Linear(8, 1));
  torch::optim::Adam opt(net->parameters(), 1e-2);
  Meter meter;
  std::vector<torch::Tensor> history;
  torch::Tensor total = torch::zeros({});
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({12, 4});
    auto out = net->forward(x);
    auto loss = torch::mse_loss(out, x.mean(1, true));
    opt.zero_grad();
    loss.backward();
    opt.step();
    meter.add(loss);
    history.push_back(out.detach().cpu());
    total += loss.detach();
    auto worst = *std::max_element(meter.values.begin(), meter.values.end());
    std::cout << meter.mean() << " " << worst << " " << total.item<float>() / (i + 1) << "\n";
  }
  auto all = torch::cat(history);
  all.sub_(all.mean()).div_(all.std());
  std::cout << all.abs().max().item<float>() << "\n";
}
