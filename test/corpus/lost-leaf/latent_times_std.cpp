// lost-leaf, throws: the latent code is multiplied after requires_grad was set, the optimizer gets a non-leaf.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential decoder(torch::nn::Linear(3, 10), torch::nn::Tanh(), torch::nn::Linear(10, 6));
  for (auto& p : decoder->parameters()) p.set_requires_grad(false);
  auto target = torch::randn({1, 6});
  auto z = torch::randn({1, 3}, torch::requires_grad()) * 0.1; //-@
  auto z = (torch::randn({1, 3}) * 0.1).set_requires_grad(true); //+
  torch::optim::Adam opt(std::vector<torch::Tensor>{z}, 0.1);
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(decoder->forward(z), target);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= z
}
