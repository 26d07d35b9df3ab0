// auxiliary-loss, wrong: the gradient penalty is computed without create_graph, so it is a constant.
#include <torch/torch.h>
#include <iostream>

class Critic : public torch::nn::Module {
 public:
  Critic() {
    net_ = register_module("net", torch::nn::Sequential(torch::nn::Linear(2, 32), torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)), torch::nn::Linear(32, 1)));
  }
  torch::Tensor forward(torch::Tensor x) { return net_->forward(x); }
 private:
  torch::nn::Sequential net_{nullptr};
};

torch::Tensor gradient_penalty(Critic& critic, const torch::Tensor& real, const torch::Tensor& fake) {
  auto alpha = torch::rand({real.size(0), 1});
  auto mix = (alpha * real + (1 - alpha) * fake).detach().requires_grad_(true);
  auto score = critic.forward(mix);
  auto grads = torch::autograd::grad({score}, {mix}, {torch::ones_like(score)}, /*retain_graph=*/true, /*create_graph=*/false); //-@
  auto grads = torch::autograd::grad({score}, {mix}, {torch::ones_like(score)}, /*retain_graph=*/true, /*create_graph=*/true); //+
  return (grads[0].norm(2, 1) - 1).square().mean();
}

int main() {
  torch::manual_seed(0);
  Critic critic;
  torch::optim::Adam opt(critic.parameters(), torch::optim::AdamOptions(1e-3).betas({0.0, 0.9}));
  for (int i = 0; i < 3; ++i) {
    auto real = torch::randn({16, 2}) + 2, fake = torch::randn({16, 2});
    auto loss = critic.forward(fake).mean() - critic.forward(real).mean() + 10.0 * gradient_penalty(critic, real, fake);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= critic
}
