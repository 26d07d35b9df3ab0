// clean: the adversarial direction is a constant by intent, autograd::grad without create_graph.
#include <torch/torch.h>
#include <iostream>
int main() {
  torch::manual_seed(0);
  torch::nn::Linear net(6, 2);
  torch::optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({8, 6}).requires_grad_(); auto y = torch::randint(0, 2, {8});
    auto clean = torch::nn::functional::cross_entropy(net(x), y);
    auto g = torch::autograd::grad({clean}, {x}, {}, true)[0];
    auto adv = (x + 0.1 * g.sign()).detach();
    auto loss = clean + torch::nn::functional::cross_entropy(net(adv), y);
    opt.zero_grad(); loss.backward(); opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
