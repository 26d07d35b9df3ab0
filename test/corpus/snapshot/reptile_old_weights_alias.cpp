// snapshot, wrong|stale: the weights before the inner loop are kept as handles, so the outer step moves nothing.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct Task {
  double amplitude, phase;
  std::pair<torch::Tensor, torch::Tensor> sample(int64_t n) const {
    auto x = torch::rand({n, 1}) * 10 - 5;
    return {x, amplitude * torch::sin(x + phase)};
  }
};

struct SineNet : torch::nn::Module {
  torch::nn::Sequential layers;
  SineNet() : layers(torch::nn::Linear(1, 24), torch::nn::Tanh(), torch::nn::Linear(24, 24), torch::nn::Tanh(), torch::nn::Linear(24, 1)) {
    register_module("layers", layers);
  }
  torch::Tensor forward(torch::Tensor x) { return layers->forward(x); }
};

float inner_loop(SineNet& net, const Task& task, int steps) {
  torch::optim::SGD sgd(net.parameters(), 0.02);
  float loss_value = 0;
  for (int i = 0; i < steps; ++i) {
    auto [x, y] = task.sample(10);
    sgd.zero_grad();
    auto loss = torch::mse_loss(net.forward(x), y);
    loss.backward();
    sgd.step();
    loss_value = loss.item<float>();
  }
  return loss_value;
}

int main() {
  torch::manual_seed(41);
  SineNet net;
  const double outer_rate = 0.1;
  for (int iteration = 0; iteration < 5; ++iteration) {
    Task task{1.0 + 0.5 * iteration, 0.3 * iteration};
    std::vector<torch::Tensor> before;
    for (auto& p : net.parameters()) {
      before.push_back(p.detach()); //-@
      before.push_back(p.detach().clone()); //+
    }
    auto loss = inner_loop(net, task, 4);
    torch::NoGradGuard no_grad;
    auto params = net.parameters();
    for (size_t i = 0; i < params.size(); ++i) params[i].copy_(before[i] + outer_rate * (params[i] - before[i]));
    std::cout << "iteration " << iteration << " inner loss " << loss << "\n";
  }
  //= net
}
