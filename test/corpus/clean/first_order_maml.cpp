// clean: first-order MAML: fast weights are detached leaves, their gradients are copied to the slow ones.
#include <torch/torch.h>
#include <iostream>
#include <vector>

using List = std::vector<torch::Tensor>;

torch::Tensor model(const List& p, torch::Tensor x) {
  x = torch::relu(torch::linear(x, p[0], p[1]));
  return torch::linear(x, p[2], p[3]);
}

List leaves_of(const List& from) {
  List out;
  out.reserve(from.size());
  for (const auto& t : from) out.push_back(t.detach().clone().requires_grad_(true));
  return out;
}

struct Episode {
  torch::Tensor support_x, support_y, query_x, query_y;
  static Episode draw() {
    double a = torch::rand({1}).item<double>() * 4 + 0.1, b = torch::rand({1}).item<double>() * 3;
    auto xs = torch::rand({10, 1}) * 10 - 5, xq = torch::rand({10, 1}) * 10 - 5;
    return {xs, a * torch::sin(xs + b), xq, a * torch::sin(xq + b)};
  }
};

int main() {
  torch::manual_seed(202);
  List slow = {torch::randn({20, 1}), torch::zeros({20}), torch::randn({1, 20}) * 0.2, torch::zeros({1})};
  for (auto& p : slow) p.requires_grad_(true);
  torch::optim::Adam meta(slow, 1e-3);
  for (int it = 0; it < 4; ++it) {
    meta.zero_grad();
    double shown = 0;
    for (int k = 0; k < 3; ++k) {
      auto e = Episode::draw();
      auto fast = leaves_of(slow);
      for (int s = 0; s < 2; ++s) {
        auto grads = torch::autograd::grad({torch::mse_loss(model(fast, e.support_x), e.support_y)}, fast);
        torch::NoGradGuard guard;
        for (size_t i = 0; i < fast.size(); ++i) fast[i].sub_(0.01 * grads[i]);
      }
      auto loss = torch::mse_loss(model(fast, e.query_x), e.query_y);
      loss.backward();
      for (size_t i = 0; i < slow.size(); ++i) {
        auto g = fast[i].grad() / 3;
        if (!slow[i].grad().defined()) slow[i].mutable_grad() = g.clone();
        else slow[i].mutable_grad().add_(g);
      }
      shown += loss.item<double>() / 3;
    }
    meta.step();
    std::cout << "meta " << it << ": " << shown << "\n";
  }
  //= slow
}
