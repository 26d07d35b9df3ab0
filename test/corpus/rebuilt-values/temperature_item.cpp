// rebuilt-values, undefined: the learnable temperature is read as a number in forward.
#include <torch/torch.h>
#include <cmath>
#include <iostream>

class ContrastiveHead : public torch::nn::Module {
 public:
  explicit ContrastiveHead(int dim) {
    proj_ = register_module("proj", torch::nn::Linear(dim, 8));
    log_temp_ = register_parameter("log_temp", torch::full({1}, std::log(0.07)));
  }
  torch::Tensor forward(torch::Tensor a, torch::Tensor b) {
    namespace F = torch::nn::functional;
    a = F::normalize(proj_(a), F::NormalizeFuncOptions().dim(1));
    b = F::normalize(proj_(b), F::NormalizeFuncOptions().dim(1));
    auto logits = a.mm(b.t()) / std::exp(log_temp_.item<float>()); //-@
    auto logits = a.mm(b.t()) / log_temp_.exp(); //+
    auto labels = torch::arange(a.size(0));
    return (F::cross_entropy(logits, labels) + F::cross_entropy(logits.t(), labels)) / 2;
  }
 private:
  torch::nn::Linear proj_{nullptr};
  torch::Tensor log_temp_;
};

int main() {
  torch::manual_seed(1);
  auto model = std::make_shared<ContrastiveHead>(16);
  torch::optim::AdamW opt(model->parameters(), torch::optim::AdamWOptions(1e-2).weight_decay(0.01));
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({10, 16});
    auto loss = model->forward(x, x + 0.1 * torch::randn_like(x));
    opt.zero_grad();
    loss.backward();
    opt.step();
    //= model
    std::cout << loss.item<float>() << std::endl;
  }
}
