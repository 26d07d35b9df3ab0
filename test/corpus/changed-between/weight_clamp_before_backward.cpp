// changed-between, throws: the critic's weights are clamped after the forward and before backward.
#include <torch/torch.h>
#include <iostream>

auto build_critic() {
  return torch::nn::Sequential(torch::nn::Linear(2, 32), torch::nn::ReLU(), torch::nn::Linear(32, 1));
}

int main() {
  torch::manual_seed(13);
  auto critic = build_critic();
  torch::nn::Sequential gen(torch::nn::Linear(4, 32), torch::nn::ReLU(), torch::nn::Linear(32, 2));
  torch::optim::RMSprop optC(critic->parameters(), 5e-5), optG(gen->parameters(), 5e-5);
  for (int iter = 0; iter < 3; iter++) {
    auto real = torch::randn({16, 2}) * 0.5 + 1;
    auto fake = gen->forward(torch::randn({16, 4})).detach();
    auto lossC = critic->forward(fake).mean() - critic->forward(real).mean();
    {                                                             //-
      torch::NoGradGuard no_grad;                                 //-
      for (auto& p : critic->parameters()) p.clamp_(-0.01, 0.01); //-@
    }                                                             //-
    optC.zero_grad();
    lossC.backward();
    optC.step();
    {                                                             //+
      torch::NoGradGuard no_grad;                                 //+
      for (auto& p : critic->parameters()) p.clamp_(-0.01, 0.01); //+
    }                                                             //+
    optG.zero_grad();
    auto lossG = -critic->forward(gen->forward(torch::randn({16, 4}))).mean();
    lossG.backward();
    optG.step();
    std::cout << lossC.item<float>() << ' ' << lossG.item<float>() << std::endl;
  }
  //= critic
}
