// zero-grad, stale: the discriminator's gradients are zeroed before the generator's loss fills them, and then stepped with both.
#include <torch/torch.h>
#include <iostream>

struct DCGANGeneratorImpl : torch::nn::Module {
  DCGANGeneratorImpl(int noise)
      : up1(torch::nn::ConvTranspose2dOptions(noise, 8, 4)), bn(8), up2(torch::nn::ConvTranspose2dOptions(8, 1, 4).stride(2).padding(1)) {
    register_module("up1", up1);
    register_module("bn", bn);
    register_module("up2", up2);
  }
  torch::Tensor forward(torch::Tensor z) { return torch::tanh(up2(torch::relu(bn(up1(z))))); }
  torch::nn::ConvTranspose2d up1;
  torch::nn::BatchNorm2d bn;
  torch::nn::ConvTranspose2d up2;
};
TORCH_MODULE(DCGANGenerator);

torch::nn::Sequential make_discriminator() {
  return torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 8, 4).stride(2).padding(1)),
                               torch::nn::LeakyReLU(torch::nn::LeakyReLUOptions().negative_slope(0.2)),
                               torch::nn::Conv2d(torch::nn::Conv2dOptions(8, 1, 4)), torch::nn::Flatten());
}

class Gan {
 public:
  void iterate(const torch::Tensor& real) {
    const auto n = real.size(0);
    auto ones = torch::ones({n, 1}), zeros = torch::zeros({n, 1});
    g_opt.zero_grad();
    d_opt.zero_grad(); //-@
    auto fake = generator->forward(torch::randn({n, 6, 1, 1}));
    auto g_loss = torch::binary_cross_entropy_with_logits(discriminator->forward(fake), ones);
    g_loss.backward(); //@
    g_opt.step();

    d_opt.zero_grad(); //+
    auto d_loss = torch::binary_cross_entropy_with_logits(discriminator->forward(real), ones) +
                  torch::binary_cross_entropy_with_logits(discriminator->forward(fake.detach()), zeros);
    d_loss.backward(); //@
    d_opt.step(); //@
    std::cout << "g " << g_loss.item<float>() << " d " << d_loss.item<float>() << "\n";
  }

  DCGANGenerator generator{6};
  torch::nn::Sequential discriminator = make_discriminator();

 private:
  torch::optim::Adam g_opt{generator->parameters(), torch::optim::AdamOptions(2e-4).betas({0.5, 0.999})};
  torch::optim::Adam d_opt{discriminator->parameters(), torch::optim::AdamOptions(2e-4).betas({0.5, 0.999})};
};

int main() {
  torch::manual_seed(103);
  Gan gan;
  for (int i = 0; i < 4; ++i) gan.iterate(torch::rand({4, 1, 8, 8}) * 2 - 1);
  //= gan.generator, gan.discriminator
}
