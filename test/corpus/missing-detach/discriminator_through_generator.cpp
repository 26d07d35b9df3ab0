// missing-detach, throws: the fake images are not detached for the discriminator, its backward frees the generator's graph.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential G(torch::nn::Linear(4, 16), torch::nn::ReLU(), torch::nn::Linear(16, 8), torch::nn::Tanh());
  torch::nn::Sequential D(torch::nn::Linear(8, 16), torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)), torch::nn::Linear(16, 1));
  torch::optim::Adam optG(G->parameters(), 2e-4), optD(D->parameters(), 2e-4);
  auto bce = [](const torch::Tensor& logit, double label) {
    return torch::binary_cross_entropy_with_logits(logit, torch::full_like(logit, label));
  };
  for (int i = 0; i < 2; ++i) {
    auto real = torch::rand({6, 8}) * 2 - 1;
    auto fake = G->forward(torch::randn({6, 4}));
    optD.zero_grad();
    auto lossD = bce(D->forward(real), 1) + bce(D->forward(fake), 0); //-@
    auto lossD = bce(D->forward(real), 1) + bce(D->forward(fake.detach()), 0); //+
    lossD.backward(); //@
    optD.step();
    optG.zero_grad();
    auto lossG = bce(D->forward(fake), 1);
    lossG.backward();
    optG.step();
    std::cout << lossD.item<float>() << " " << lossG.item<float>() << "\n";
  }
  //= G
}
