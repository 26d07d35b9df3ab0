// zero-grad, stale: stage one lets gradients pile up in the backbone, and the first step of stage two takes them all.
#include <torch/torch.h>
#include <iostream>

using torch::Tensor;

struct Backbone : torch::nn::Module {
  Backbone() {
    l1 = register_module("l1", torch::nn::Linear(8, 20));
    l2 = register_module("l2", torch::nn::Linear(20, 10));
  }
  Tensor forward(const Tensor& x) { return torch::tanh(l2(torch::tanh(l1(x)))); }
  torch::nn::Linear l1{nullptr}, l2{nullptr};
};

struct Classifier : torch::nn::Module {
  Classifier() : backbone(std::make_shared<Backbone>()), head(10, 3) {
    register_module("backbone", backbone);
    register_module("head", head);
  }
  Tensor forward(const Tensor& x) { return head(backbone->forward(x)); }
  std::shared_ptr<Backbone> backbone;
  torch::nn::Linear head;
};

int main() {
  torch::manual_seed(77);
  auto model = std::make_shared<Classifier>();
  const Tensor x = torch::randn({30, 8}), y = torch::randint(0, 3, {30});

  // stage one: only the head learns
  torch::optim::Adam head_only(model->head->parameters(), 1e-2);
  for (int i = 0; i < 8; ++i) {
    Tensor loss = torch::cross_entropy_loss(model->forward(x), y);
    loss.backward();
    head_only.step();
    head_only.zero_grad();
  }
  std::cout << "head trained\n";

  // stage two: everything
  torch::optim::SGD all(model->parameters(), 0.05);
  all.zero_grad(); //+
  for (int i = 0; i < 8; ++i) {
    Tensor loss = torch::cross_entropy_loss(model->forward(x), y);
    loss.backward(); //@
    all.step(); //@
    all.zero_grad();
    std::cout << i << ' ' << loss.item<float>() << '\n';
  }
  //= model
}
