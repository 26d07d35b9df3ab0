// clean: both views of a contrastive loss carry gradients; so does a consistency term between two passes.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Sequential f(torch::nn::Linear(6, 12), torch::nn::ReLU(), torch::nn::Linear(12, 4));
  torch::optim::Adam opt(f->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 6});
    auto a = torch::nn::functional::normalize(f->forward(x + 0.1 * torch::randn_like(x)));
    auto b = torch::nn::functional::normalize(f->forward(x + 0.1 * torch::randn_like(x)));
    auto sim = a.mm(b.t()) / 0.5;
    auto loss = torch::nn::functional::cross_entropy(sim, torch::arange(8)) + torch::mse_loss(a, b);
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= f
}
