// zero-grad, stale: the gradients are never zeroed, every step adds to the former ones.
#include <torch/torch.h>
#include <iostream>

struct Net : torch::nn::Module {
  Net() {
    fc1 = register_module("fc1", torch::nn::Linear(10, 20));
    fc2 = register_module("fc2", torch::nn::Linear(20, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    x = torch::relu(fc1->forward(x));
    return torch::sigmoid(fc2->forward(x));
  }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto net = std::make_shared<Net>();
  torch::optim::SGD optimizer(net->parameters(), 0.05);
  auto inputs = torch::rand({100, 10});
  auto targets = (inputs.sum(1, true) > 5).to(torch::kFloat);
  for (size_t epoch = 1; epoch <= 10; ++epoch) {
    auto prediction = net->forward(inputs);
    auto loss = torch::binary_cross_entropy(prediction, targets);
    optimizer.zero_grad(); //+
    loss.backward(); //@
    optimizer.step(); //@
    std::cout << "Epoch: " << epoch << " | Loss: " << loss.item<float>() << std::endl;
  }
  //= net
}
