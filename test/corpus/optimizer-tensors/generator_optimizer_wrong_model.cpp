// optimizer-tensors, stale: both optimizers are built over the discriminator.
#include <torch/torch.h>
#include <iostream>

struct Generator : torch::nn::Module {
  Generator() : l1(register_module("l1", torch::nn::Linear(6, 24))), l2(register_module("l2", torch::nn::Linear(24, 3))) {}
  torch::Tensor forward(torch::Tensor z) { return torch::tanh(l2(torch::relu(l1(z)))); }
  torch::nn::Linear l1, l2;
};
struct Discriminator : torch::nn::Module {
  Discriminator() : l1(register_module("l1", torch::nn::Linear(3, 24))), l2(register_module("l2", torch::nn::Linear(24, 1))) {}
  torch::Tensor forward(torch::Tensor x) { return torch::sigmoid(l2(torch::leaky_relu(l1(x), 0.2))); }
  torch::nn::Linear l1, l2;
};

int main() {
  torch::manual_seed(99);
  Generator generator;
  Discriminator discriminator;
  torch::optim::Adam g_optimizer(discriminator.parameters(), torch::optim::AdamOptions(2e-3).betas({0.5, 0.9})); //-@
  torch::optim::Adam g_optimizer(generator.parameters(), torch::optim::AdamOptions(2e-3).betas({0.5, 0.9})); //+
  torch::optim::Adam d_optimizer(discriminator.parameters(), torch::optim::AdamOptions(2e-3).betas({0.5, 0.9}));
  auto real_labels = torch::ones({8, 1}), fake_labels = torch::zeros({8, 1});
  for (int64_t epoch = 1; epoch <= 3; ++epoch) {
    for (int64_t batch = 0; batch < 2; ++batch) {
      discriminator.zero_grad();
      auto d_loss = torch::binary_cross_entropy(discriminator.forward(torch::randn({8, 3}) * 0.1 + 0.5), real_labels);
      auto fake = generator.forward(torch::randn({8, 6}));
      d_loss = d_loss + torch::binary_cross_entropy(discriminator.forward(fake.detach()), fake_labels);
      d_loss.backward();
      d_optimizer.step();

      generator.zero_grad();
      auto g_loss = torch::binary_cross_entropy(discriminator.forward(fake), real_labels);
      g_loss.backward();
      g_optimizer.step();
      std::printf("[%d] D %.4f G %.4f\n", (int)epoch, d_loss.item<float>(), g_loss.item<float>());
    }
  }
  //= generator
}
