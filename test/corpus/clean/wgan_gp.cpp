// clean: a gradient penalty with create_graph, and weights of the critic clamped after the step.
#include <torch/torch.h>
#include <iostream>

struct Critic : torch::nn::Module {
  Critic() { a = register_module("a", torch::nn::Linear(2, 16)); b = register_module("b", torch::nn::Linear(16, 1)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::leaky_relu(a(x), 0.2)); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

torch::Tensor penalty(Critic& c, torch::Tensor real, torch::Tensor fake) {
  auto eps = torch::rand({real.size(0), 1});
  auto mix = (eps * real + (1 - eps) * fake).requires_grad_(true);
  auto out = c.forward(mix);
  auto g = torch::autograd::grad({out}, {mix}, {torch::ones_like(out)}, true, true)[0];
  return (g.view({g.size(0), -1}).norm(2, 1) - 1).pow(2).mean();
}

int main() {
  torch::manual_seed(0);
  Critic critic;
  torch::nn::Sequential gen(torch::nn::Linear(3, 16), torch::nn::ReLU(), torch::nn::Linear(16, 2));
  torch::optim::RMSprop optC(critic.parameters(), 1e-3), optG(gen->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 2; ++k) {
      auto real = torch::randn({8, 2}) + 1;
      auto fake = gen->forward(torch::randn({8, 3})).detach();
      auto loss = critic.forward(fake).mean() - critic.forward(real).mean() + 10 * penalty(critic, real, fake);
      optC.zero_grad();
      loss.backward();
      optC.step();
      torch::NoGradGuard guard;
      for (auto& p : critic.parameters()) p.clamp_(-0.5, 0.5);
    }
    auto loss = -critic.forward(gen->forward(torch::randn({8, 3}))).mean();
    optG.zero_grad();
    loss.backward();
    optG.step();
    std::cout << loss.item<float>() << "\n";
  }
}
