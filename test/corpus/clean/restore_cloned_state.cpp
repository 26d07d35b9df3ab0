// clean: weights kept by clone and put back, a model saved by handle for its name only.
#include <torch/torch.h>
#include <iostream>
#include <map>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(3, 1);
  auto best_model = net;
  std::map<std::string, torch::Tensor> best;
  double low = 1e9;
  torch::optim::SGD opt(net->parameters(), 1.0);
  auto x = torch::randn({10, 3}), y = torch::randn({10, 1});
  for (int i = 0; i < 5; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(net(x), y);
    if (loss.item<double>() < low) {
      low = loss.item<double>();
      best.clear();
      for (auto& p : net->named_parameters()) best[p.key()] = p.value().detach().clone();
    }
    loss.backward(); opt.step();
  }
  torch::NoGradGuard g;
  for (auto& p : best_model->named_parameters()) p.value().copy_(best[p.key()]);
  std::cout << low << "\n";
  //= net
}
