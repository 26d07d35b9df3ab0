// optimizer-tensors, stale|undefined: the model is rebuilt for every fold, the optimizer still holds the first one's parameters.
#include <torch/torch.h>
#include <iostream>
using namespace torch;

struct Regressor : nn::Module {
  Regressor() : l1(register_module("l1", nn::Linear(6, 12))), l2(register_module("l2", nn::Linear(12, 1))) {}
  Tensor forward(Tensor x) { return l2(l1(x).relu()); }
  nn::Linear l1, l2;
};

int main() {
  manual_seed(7);
  Tensor X = torch::randn({60, 6}), Y = X.sum(1, true) * 0.5;
  auto model = std::make_shared<Regressor>();
  optim::Adam opt(model->parameters(), 1e-2); //-@
  for (int fold = 0; fold < 3; fold++) {
    model = std::make_shared<Regressor>(); //@
    optim::Adam opt(model->parameters(), 1e-2); //+
    for (int e = 0; e < 8; e++) {
      opt.zero_grad();
      Tensor loss = mse_loss(model->forward(X.slice(0, 0, 40)), Y.slice(0, 0, 40));
      loss.backward();
      opt.step();
    }
    NoGradGuard ng;
    std::cout << "fold " << fold << " val " << mse_loss(model->forward(X.slice(0, 40)), Y.slice(0, 40)).item<float>() << "\n";
  }
  //= model
}
