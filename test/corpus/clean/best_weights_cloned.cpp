// clean: best weights kept by clone, restored under a guard, and state saved to memory.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <sstream>

struct Net : torch::nn::Module {
  Net() { l = register_module("l", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return l(x); }
  torch::nn::Linear l{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto net = std::make_shared<Net>();
  torch::optim::SGD opt(net->parameters(), 0.1);
  std::map<std::string, torch::Tensor> best;
  double best_loss = std::numeric_limits<double>::infinity();
  auto x = torch::randn({20, 3}), y = torch::randn({20, 1});
  for (int e = 0; e < 5; ++e) {
    auto loss = torch::mse_loss(net->forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    if (double v = loss.item<double>(); v < best_loss) {
      best_loss = v;
      best.clear();
      for (const auto& pair : net->named_parameters()) best.emplace(pair.key(), pair.value().detach().clone());
    }
  }
  torch::NoGradGuard guard;
  for (auto& [name, value] : best) net->named_parameters()[name].copy_(value);
  std::ostringstream stream;
  torch::save(net, stream);
  std::istringstream in(stream.str());
  auto again = std::make_shared<Net>();
  torch::load(again, in);
  std::cout << again->forward(x).mean().item<float>() << "\n";
}
