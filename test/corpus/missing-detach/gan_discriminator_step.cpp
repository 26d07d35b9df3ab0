// missing-detach, throws: the fake batch is not detached for the discriminator, and its graph is walked again.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential netG(torch::nn::Linear(4, 16), torch::nn::ReLU(), torch::nn::Linear(16, 2));
  torch::nn::Sequential netD(torch::nn::Linear(2, 16), torch::nn::ReLU(), torch::nn::Linear(16, 1));
  torch::optim::SGD optG(netG->parameters(), 1e-3), optD(netD->parameters(), 1e-3);
  for (int i = 0; i < 3; ++i) {
    auto real = torch::randn({8, 2}) + 2;
    auto fake = netG->forward(torch::randn({8, 4}));
    optD.zero_grad();
    auto d_loss = torch::binary_cross_entropy_with_logits(netD->forward(real), torch::ones({8, 1})) +
        torch::binary_cross_entropy_with_logits(netD->forward(fake), torch::zeros({8, 1})); //-@
        torch::binary_cross_entropy_with_logits(netD->forward(fake.detach()), torch::zeros({8, 1})); //+
    d_loss.backward();
    optD.step();
    optG.zero_grad();
    auto g_loss = torch::binary_cross_entropy_with_logits(netD->forward(fake), torch::ones({8, 1}));
    g_loss.backward(); //@
    optG.step();
    std::cout << d_loss.item<float>() << " " << g_loss.item<float>() << "\n";
  }
  //= netG
}
