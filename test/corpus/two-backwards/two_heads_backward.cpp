// two-backwards, throws: the reconstruction loss and the classification loss share an encoder, each calls backward by itself.
#include <torch/torch.h>
#include <iostream>

struct Joint : torch::nn::Module {
  Joint() : enc(register_module("enc", torch::nn::Linear(12, 5))), dec(register_module("dec", torch::nn::Linear(5, 12))), cls(register_module("cls", torch::nn::Linear(5, 2))) {}
  torch::nn::Linear enc, dec, cls;
};

int main() {
  torch::manual_seed(0);
  Joint net;
  torch::optim::Adagrad opt(net.parameters(), 0.05);
  for (int i = 0; i < 2; ++i) {
    auto x = torch::randn({9, 12});
    auto y = torch::randint(0, 2, {9});
    auto code = torch::sigmoid(net.enc(x));
    auto rec = torch::mse_loss(net.dec(code), x);
    auto ce = torch::nn::functional::cross_entropy(net.cls(code), y);
    opt.zero_grad();
    rec.backward(); //-@
    rec.backward({}, /*retain_graph=*/true); //+
    ce.backward();
    opt.step();
    std::cout << rec.item<float>() + ce.item<float>() << "\n";
  }
  //= net
}
