// zero-grad, stale: the generator's gradients are zeroed twice, the discriminator's never.
#include <torch/torch.h>
#include <iostream>

namespace nn = torch::nn;

nn::Sequential make_generator() {
  return nn::Sequential(nn::Linear(8, 16), nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)), nn::Linear(16, 2));
}
nn::Sequential make_discriminator() {
  return nn::Sequential(nn::Linear(2, 16), nn::LeakyReLU(nn::LeakyReLUOptions().negative_slope(0.2)), nn::Linear(16, 1), nn::Sigmoid());
}

int main() {
  torch::manual_seed(42);
  auto G = make_generator();
  auto D = make_discriminator();
  torch::optim::Adam optG(G->parameters(), torch::optim::AdamOptions(2e-4).betas(std::make_tuple(0.5, 0.999)));
  torch::optim::Adam optD(D->parameters(), torch::optim::AdamOptions(2e-4).betas(std::make_tuple(0.5, 0.999)));
  for (int step = 0; step < 5; ++step) {
    auto real = torch::randn({32, 2}) + 3.0;
    auto fake = G->forward(torch::randn({32, 8}));

    optG.zero_grad(); //-@
    optD.zero_grad(); //+
    auto lossD = torch::binary_cross_entropy(D->forward(real), torch::ones({32, 1})) +
                 torch::binary_cross_entropy(D->forward(fake.detach()), torch::zeros({32, 1}));
    lossD.backward(); //@
    optD.step(); //@

    optG.zero_grad();
    auto lossG = torch::binary_cross_entropy(D->forward(fake), torch::ones({32, 1}));
    lossG.backward();
    optG.step();
    std::cout << "D: " << lossD.item<float>() << " G: " << lossG.item<float>() << "\n";
  }
  //= D
}
