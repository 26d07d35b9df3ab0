// lost-leaf, undefined: the trainable mask is a sigmoid of a temporary leaf, the update looks at the mask's own gradient.
#include <torch/torch.h>
#include <iostream>

struct Explainer {
  torch::Tensor mask;

  explicit Explainer(int64_t n) {
    mask = torch::sigmoid(torch::zeros({n}, torch::requires_grad())); //-@
    mask = torch::full({n}, 0.5).requires_grad_(true); //+
  }

  torch::Tensor loss(torch::nn::Linear& net, const torch::Tensor& x, const torch::Tensor& wanted) {
    return (net(x * mask) - wanted).pow(2).mean() + 0.01 * mask.abs().sum();
  }

  void update(double rate) {
    torch::NoGradGuard guard;
    if (mask.grad().defined()) { //@
      mask.sub_(rate * mask.grad()).clamp_(0, 1);
      mask.mutable_grad().zero_();
    }
  }
};

int main() {
  torch::manual_seed(310);
  torch::nn::Linear net(8, 2);
  for (auto& p : net->parameters()) p.set_requires_grad(false);
  Explainer explainer(8);
  auto x = torch::randn({5, 8});
  auto wanted = net(x);
  for (int i = 0; i < 3; ++i) {
    auto loss = explainer.loss(net, x, wanted);
    loss.backward({}, /*retain_graph=*/true);
    if (i < 2) explainer.update(0.1);
    std::cout << loss.item<float>() << " mask " << explainer.mask.sum().item<float>() << "\n";
  }
  //= explainer.mask
}
