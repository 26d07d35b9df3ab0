// graph-carried, throws: the features are computed before the loop, so the second epoch walks a freed graph.
#include <torch/torch.h>
#include <iostream>

struct Encoder : torch::nn::Module {
  Encoder() : c(register_module("c", torch::nn::Linear(30, 10))) {}
  torch::Tensor forward(torch::Tensor x) { return torch::gelu(c->forward(x)); }
  torch::nn::Linear c;
};

int main() {
  torch::manual_seed(4);
  auto encoder = std::make_shared<Encoder>();
  torch::nn::Linear classifier(10, 2);
  std::vector<torch::Tensor> params;
  for (auto& p : encoder->parameters()) params.push_back(p);
  for (auto& p : classifier->parameters()) params.push_back(p);
  torch::optim::Adam opt(params, 1e-3);
  torch::Tensor X = torch::randn({40, 30});
  torch::Tensor y = torch::randint(0, 2, {40}, torch::kLong);
  auto features = encoder->forward(X); //-@
  for (int epoch = 0; epoch < 4; epoch++) {
    auto features = encoder->forward(X); //+
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(classifier(features), y);
    loss.backward(); //@
    opt.step();
    std::cout << "Epoch " << epoch << " " << loss.item<float>() << "\n";
  }
  //= encoder
}
