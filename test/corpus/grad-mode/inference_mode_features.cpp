// grad-mode, throws: features made in inference mode are saved by a layer that is trained.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential backbone(torch::nn::Linear(12, 24), torch::nn::ReLU());
  torch::nn::Linear head(24, 3);
  torch::optim::SGD opt(head->parameters(), 0.1);
  auto x = torch::randn({30, 12});
  auto y = torch::randint(0, 3, {30});
  torch::Tensor features;
  {
    c10::InferenceMode guard; //-@
    torch::NoGradGuard guard; //+
    features = backbone->forward(x);
  }
  for (int e = 0; e < 3; ++e) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(head(features), y);
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= head
}
