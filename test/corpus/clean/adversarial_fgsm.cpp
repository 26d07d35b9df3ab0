// clean: adversarial training: the gradient of the input is read, the gradients of the model are cleared afterwards.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model(torch::nn::Linear(8, 16), torch::nn::ReLU(), torch::nn::Linear(16, 3));
  torch::optim::SGD opt(model->parameters(), torch::optim::SGDOptions(0.1).weight_decay(1e-4));
  for (int i = 0; i < 3; ++i) {
    auto x = torch::rand({12, 8});
    auto y = torch::randint(0, 3, {12});
    auto delta = torch::zeros_like(x).uniform_(-0.1, 0.1);
    delta.requires_grad_();
    auto first = torch::nn::functional::cross_entropy(model->forward(x + delta), y);
    first.backward();
    auto g = delta.grad().detach();
    delta.data() = torch::clamp(delta + 0.1 * torch::sign(g), -0.1, 0.1);
    delta = delta.detach();
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(model->forward(torch::clamp(x + delta, 0, 1)), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
