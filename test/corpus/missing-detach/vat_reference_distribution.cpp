// missing-detach, wrong: the reference distribution of virtual adversarial training is not cut, the loss pulls it as well.
#include <torch/torch.h>
#include <iostream>

struct Classifier : torch::nn::Module {
  Classifier() {
    a = register_module("a", torch::nn::Linear(4, 24));
    b = register_module("b", torch::nn::Linear(24, 3));
  }
  torch::Tensor forward(const torch::Tensor& x) { return b(torch::relu(a(x))); }
  torch::nn::Linear a{nullptr}, b{nullptr};
};

class VAT {
 public:
  VAT(double xi, double epsilon) : xi_(xi), epsilon_(epsilon) {}

  torch::Tensor operator()(Classifier& model, const torch::Tensor& x) const {
    auto reference = torch::softmax(model.forward(x), 1); //-@
    auto reference = torch::softmax(model.forward(x), 1).detach(); //+
    auto direction = perturbation(model, x, reference.detach());
    return divergence(model.forward(x + epsilon_ * direction), reference); //@
  }

 private:
  static torch::Tensor unit(const torch::Tensor& d) { return d / (d.norm(2, 1, true) + 1e-8); }
  static torch::Tensor divergence(const torch::Tensor& logits, const torch::Tensor& p) {
    return (p * (torch::log(p + 1e-8) - torch::log_softmax(logits, 1))).sum(1).mean();
  }
  torch::Tensor perturbation(Classifier& model, const torch::Tensor& x, const torch::Tensor& p) const {
    auto d = unit(torch::randn_like(x)).requires_grad_();
    auto grads = torch::autograd::grad({divergence(model.forward(x + xi_ * d), p)}, {d});
    return unit(grads[0]);
  }
  double xi_, epsilon_;
};

int main() {
  torch::manual_seed(121);
  Classifier model;
  VAT vat(1e-1, 1.0);
  torch::optim::Adam optimizer(model.parameters(), 1e-2);
  for (int i = 0; i < 5; ++i) {
    auto labelled = torch::randn({8, 4}), unlabelled = torch::randn({32, 4});
    auto y = labelled.slice(1, 0, 3).argmax(1);
    auto supervised = torch::nn::functional::cross_entropy(model.forward(labelled), y);
    auto smoothness = vat(model, unlabelled);
    optimizer.zero_grad();
    (supervised + 2.0 * smoothness).backward();
    optimizer.step();
    std::cout << supervised.item<float>() << " " << smoothness.item<float>() << "\n";
  }
  //= std::shared_ptr<Classifier>(&model, [](Classifier*) {})
}
