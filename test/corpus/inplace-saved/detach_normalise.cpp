// inplace-saved, throws: the features are normalised in place for logging through detach.
#include <torch/torch.h>
#include <iostream>
#include <vector>

struct FeatureNet : torch::nn::Module {
  FeatureNet() {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3)));
    fc = register_module("fc", torch::nn::Linear(4, 2));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto f = torch::sigmoid(conv(x)).mean({2, 3});
    auto shown = f.detach();
    auto out = fc(f);
    shown.div_(shown.norm()); //-@
    shown = shown / shown.norm(); //+
    log.push_back(shown);
    return out;
  }
  std::vector<torch::Tensor> log;
  torch::nn::Conv2d conv{nullptr};
  torch::nn::Linear fc{nullptr};
};

int main() {
  torch::manual_seed(0);
  FeatureNet net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  auto x = torch::randn({3, 1, 6, 6});
  auto y = torch::tensor({0, 1, 0}, torch::kLong);
  for (int i = 0; i < 2; ++i) {
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << " " << net.log.size() << "\n";
  }
  //= net
}
