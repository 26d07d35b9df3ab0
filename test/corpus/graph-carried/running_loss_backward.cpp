// graph-carried, throws: backward is called on a sum of losses that is never reset.
#include <torch/torch.h>
#include <iostream>

struct Linear2 : torch::nn::Module {
  Linear2() { l = register_module("l", torch::nn::Linear(5, 8)); m = register_module("m", torch::nn::Linear(8, 2)); }
  torch::Tensor forward(torch::Tensor x) { return m(torch::elu(l(x))); }
  torch::nn::Linear l{nullptr}, m{nullptr};
};

int main() {
  torch::manual_seed(21);
  Linear2 net;
  torch::optim::SGD optimizer(net.parameters(), 1e-2);
  torch::Tensor total_loss = torch::zeros({}); //-
  double total = 0; //+
  for (int batch = 0; batch < 5; ++batch) {
    torch::Tensor data = torch::randn({10, 5});
    torch::Tensor target = torch::randint(0, 2, {10});
    optimizer.zero_grad();
    auto out = torch::log_softmax(net.forward(data), 1);
    total_loss = total_loss + torch::nll_loss(out, target); //-@
    total_loss.backward(); //-@
    auto loss = torch::nll_loss(out, target); //+
    loss.backward(); //+
    total += loss.item<double>(); //+
    optimizer.step();
  }
  std::cout << total_loss.item<float>() / 5 << std::endl; //-
  std::cout << total / 5 << std::endl; //+
  //= net
}
