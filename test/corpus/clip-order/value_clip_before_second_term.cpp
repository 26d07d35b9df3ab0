// clip-order, wrong: gradients are clipped inside the loop over terms, before the last term has been added.
#include <torch/torch.h>
#include <functional>
#include <iostream>
#include <vector>

struct Field : torch::nn::Module {
  torch::nn::Sequential f{torch::nn::Linear(2, 16), torch::nn::SiLU(), torch::nn::Linear(16, 1)};
  Field() { register_module("f", f); }
  torch::Tensor forward(const torch::Tensor& x) { return f->forward(x); }
};

using Term = std::function<torch::Tensor(Field&)>;

std::vector<Term> make_terms() {
  return {
      [](Field& f) { auto x = torch::rand({20, 2}); return 30 * (f.forward(x) - x.prod(1, true)).pow(2).mean(); },
      [](Field& f) { auto x = torch::rand({8, 2}); x.select(1, 0).zero_(); return 30 * f.forward(x).pow(2).mean(); },
  };
}

int main() {
  torch::manual_seed(307);
  Field field;
  torch::optim::SGD opt(field.parameters(), 0.05);
  auto terms = make_terms();
  for (int i = 0; i < 5; ++i) {
    opt.zero_grad();
    double sum = 0;
    for (auto& term : terms) {
      auto loss = term(field);
      loss.backward();
      torch::nn::utils::clip_grad_value_(field.parameters(), 0.5); //-@
      sum += loss.item<double>();
    }
    torch::nn::utils::clip_grad_value_(field.parameters(), 0.5); //+
    opt.step();
    std::cout << "terms " << sum << "\n";
  }
  //= field
}
