// clean: eval() for the validation, train() at the start of every epoch; batch normalisation frozen on purpose.
#include <torch/torch.h>
#include <iostream>
struct NetImpl : torch::nn::Module {
  NetImpl() {
    c = register_module("c", torch::nn::Linear(6, 6)); bn = register_module("bn", torch::nn::BatchNorm1d(6));
    d = register_module("d", torch::nn::Dropout(0.2)); o = register_module("o", torch::nn::Linear(6, 2));
  }
  torch::Tensor forward(torch::Tensor x) { return o(d(torch::relu(bn(c(x))))); }
  torch::nn::Linear c{nullptr}, o{nullptr}; torch::nn::BatchNorm1d bn{nullptr}; torch::nn::Dropout d{nullptr};
};
TORCH_MODULE(Net);
int main() {
  torch::manual_seed(0);
  Net net;
  torch::optim::Adam opt(net->parameters(), 1e-3);
  auto x = torch::randn({16, 6}); auto y = torch::randint(0, 2, {16});
  for (int e = 0; e < 3; ++e) {
    net->train();
    if (e > 1) net->bn->eval();
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net(x), y);
    loss.backward(); opt.step();
    net->eval();
    torch::NoGradGuard g;
    std::cout << net(x).argmax(1).eq(y).sum().item<int64_t>() << "\n";
  }
  //= net
}
