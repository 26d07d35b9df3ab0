// auxiliary-loss, wrong: the consistency term is computed inside the no-grad block that was meant for the targets.
#include <torch/torch.h>
#include <iostream>

class Model : public torch::nn::Module {
 public:
  Model() {
    f_ = register_module("f", torch::nn::Sequential(torch::nn::Linear(6, 12), torch::nn::ELU(), torch::nn::Linear(12, 3)));
  }
  torch::Tensor logits(const torch::Tensor& x) { return f_->forward(x); }

 private:
  torch::nn::Sequential f_{nullptr};
};

torch::Tensor consistency(Model& model, const torch::Tensor& x) {
  torch::Tensor target, result;
  {
    torch::NoGradGuard guard; //@
    target = torch::softmax(model.logits(x), 1);
    auto noisy = x + 0.3 * torch::randn_like(x); //-
    result = (torch::softmax(model.logits(noisy), 1) - target).pow(2).sum(1).mean(); //-@
  }
  auto noisy = x + 0.3 * torch::randn_like(x); //+
  result = (torch::softmax(model.logits(noisy), 1) - target).pow(2).sum(1).mean(); //+
  return result;
}

int main() {
  torch::manual_seed(309);
  Model model;
  torch::optim::Adam opt(model.parameters(), 5e-3);
  for (int i = 0; i < 5; ++i) {
    auto x = torch::randn({10, 6}), u = torch::randn({40, 6});
    auto y = x.slice(1, 0, 3).argmax(1);
    auto supervised = torch::nn::functional::cross_entropy(model.logits(x), y);
    auto loss = supervised + 5.0 * consistency(model, u);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << supervised.item<float>() << " / " << loss.item<float>() << "\n";
  }
  //= std::shared_ptr<Model>(&model, [](Model*) {})
}
