// zero-grad, stale: zero_grad is called once per epoch instead of once per batch.
#include <torch/torch.h>
#include <iostream>

struct Mnist : torch::nn::Module {
  Mnist() {
    fc1 = register_module("fc1", torch::nn::Linear(36, 18));
    fc2 = register_module("fc2", torch::nn::Linear(18, 10));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(fc1->forward(x.reshape({x.size(0), 36})));
    x = torch::dropout(x, 0.0, is_training());
    return torch::log_softmax(fc2->forward(x), 1);
  }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

void train(Mnist& model, torch::optim::Optimizer& optimizer, const std::vector<std::pair<torch::Tensor, torch::Tensor>>& batches) {
  model.train();
  optimizer.zero_grad(); //-@
  for (const auto& [data, target] : batches) {
    optimizer.zero_grad(); //+
    auto loss = torch::nll_loss(model.forward(data), target);
    loss.backward(); //@
    optimizer.step(); //@
  }
}

int main() {
  torch::manual_seed(1);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> batches;
  for (int i = 0; i < 5; ++i) batches.emplace_back(torch::randn({8, 1, 6, 6}), torch::randint(0, 10, {8}));
  Mnist model;
  torch::optim::SGD optimizer(model.parameters(), torch::optim::SGDOptions(0.01).momentum(0.5));
  for (int epoch = 0; epoch < 2; ++epoch) train(model, optimizer, batches);
  std::cout << "trained\n";
  //= model
}
