// auxiliary-loss, wrong: the sparsity term is turned into a number before it is added.
#include <torch/torch.h>
#include <iostream>

class SparseAutoencoder : public torch::nn::Module {
  torch::nn::Linear enc, dec;
 public:
  SparseAutoencoder() : enc(16, 8), dec(8, 16) {
    enc = register_module("enc", enc);
    dec = register_module("dec", dec);
  }
  torch::Tensor code;
  torch::Tensor forward(const torch::Tensor& x) {
    code = torch::sigmoid(enc->forward(x));
    return dec->forward(code);
  }
};

int main() {
  torch::manual_seed(2);
  SparseAutoencoder model;
  torch::optim::Adam opt(model.parameters(), 1e-3);
  auto x = torch::rand({64, 16});
  for (int i = 0; i < 6; ++i) {
    opt.zero_grad();
    auto y = model.forward(x);
    double sparsity = model.code.abs().mean().item<double>(); //-@
    auto sparsity = model.code.abs().mean(); //+
    auto loss = torch::mse_loss(y, x) + 0.5 * sparsity;
    loss.backward();
    opt.step();
    std::cout << "loss " << loss.item<double>() << std::endl;
  }
  //= model
}
