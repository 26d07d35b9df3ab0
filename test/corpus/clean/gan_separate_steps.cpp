// clean: a GAN with detach, zero_grad of the whole model and gradients left over in D by the G step.
#include <torch/torch.h>
#include <iostream>

struct G : torch::nn::Module {
  G() { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(4, 16), torch::nn::BatchNorm1d(16), torch::nn::ReLU(torch::nn::ReLUOptions(true)), torch::nn::Linear(16, 2))); }
  torch::Tensor forward(torch::Tensor z) { return net->forward(z); }
  torch::nn::Sequential net{nullptr};
};
struct D : torch::nn::Module {
  D() { net = register_module("net", torch::nn::Sequential(torch::nn::Linear(2, 16), torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2).inplace(true)), torch::nn::Linear(16, 1))); }
  torch::Tensor forward(torch::Tensor x) { return net->forward(x).view({-1}); }
  torch::nn::Sequential net{nullptr};
};

int main() {
  torch::manual_seed(0);
  G generator;
  D discriminator;
  torch::optim::Adam optG(generator.parameters(), 2e-4), optD(discriminator.parameters(), 2e-4);
  torch::nn::BCEWithLogitsLoss bce;
  for (int i = 0; i < 4; ++i) {
    auto real = torch::randn({8, 2}) * 0.3 + 1;
    discriminator.zero_grad();
    auto real_loss = bce(discriminator.forward(real), torch::ones({8}));
    real_loss.backward();
    auto fake = generator.forward(torch::randn({8, 4}));
    auto fake_loss = bce(discriminator.forward(fake.detach()), torch::zeros({8}));
    fake_loss.backward();
    optD.step();
    generator.zero_grad();
    auto g_loss = bce(discriminator.forward(fake), torch::ones({8}));
    g_loss.backward();
    optG.step();
    std::cout << (real_loss + fake_loss).item<float>() << " " << g_loss.item<float>() << "\n";
  }
}
