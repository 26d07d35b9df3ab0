// optimizer-tensors, stale|undefined: the registered weight is replaced by a fresh tensor in an init function.
#include <torch/torch.h>
#include <iostream>

class Embedder : public torch::nn::Module {
 public:
  Embedder(int n, int d) : n_(n), d_(d) {
    weight_ = register_parameter("weight", torch::empty({n, d}));
    reset();
  }
  void reset() {
    weight_ = torch::randn({n_, d_}, torch::requires_grad()) * 1.0; //-
    weight_ = weight_.detach().requires_grad_(); //-@
    torch::NoGradGuard g; //+
    weight_.normal_(); //+
  }
  torch::Tensor forward(torch::Tensor i) { return weight_.index_select(0, i); }
 private:
  int n_, d_;
  torch::Tensor weight_;
};

int main() {
  torch::manual_seed(0);
  Embedder e(10, 4);
  torch::optim::SGD opt(e.parameters(), 0.5);
  auto i = torch::arange(10), target = torch::ones({10, 4});
  for (int k = 0; k < 4; ++k) {
    opt.zero_grad();
    auto loss = (e.forward(i) - target).pow(2).sum();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  torch::NoGradGuard g;
  //= e.forward(i)
}
