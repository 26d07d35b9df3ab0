// two-backwards, throws: autograd::grad frees the graph that the loss still needs.
#include <torch/torch.h>
#include <iostream>

struct Critic : torch::nn::Module {
  Critic() { a = register_module("a", torch::nn::Linear(3, 16)); b = register_module("b", torch::nn::Linear(16, 1)); }
  torch::Tensor forward(torch::Tensor x) { return b(torch::tanh(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

int main() {
  torch::manual_seed(0);
  Critic critic;
  torch::optim::Adam opt(critic.parameters(), 1e-4);
  for (int i = 0; i < 2; ++i) {
    auto x = torch::randn({6, 3}).requires_grad_();
    auto score = critic.forward(x);
    auto g = torch::autograd::grad({score.sum()}, {x}, /*grad_outputs=*/{}, /*retain_graph=*/false)[0]; //-@
    auto g = torch::autograd::grad({score.sum()}, {x}, /*grad_outputs=*/{}, /*retain_graph=*/true, /*create_graph=*/true)[0]; //+
    auto penalty = (g.norm(2, 1) - 1).pow(2).mean();
    auto loss = score.mean() + 10 * penalty;
    opt.zero_grad();
    loss.backward(); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= critic
}
