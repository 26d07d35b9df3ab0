// clean: a network that is trained against its own next step, with the gradient of both sides on purpose.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential f(torch::nn::Linear(2, 12), torch::nn::Tanh(), torch::nn::Linear(12, 2));
  torch::optim::Adam opt(f->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({9, 2});
    auto half = x + 0.5 * f->forward(x);
    auto two = half + 0.5 * f->forward(half);
    auto one = x + f->forward(x);
    auto loss = torch::mse_loss(one, two) + 0.1 * f->forward(torch::zeros({1, 2})).pow(2).sum();
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= f
}
