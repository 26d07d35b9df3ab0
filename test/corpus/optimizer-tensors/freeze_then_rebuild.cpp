// optimizer-tensors, undefined: everything is frozen after the head was added, the loop frozen too much.
#include <torch/torch.h>
#include <iostream>

struct Resnetish : torch::nn::Module {
  Resnetish() {
    layer1 = register_module("layer1", torch::nn::Linear(8, 8));
    layer2 = register_module("layer2", torch::nn::Linear(8, 8));
    fc = register_module("fc", torch::nn::Linear(8, 2));
  }
  torch::Tensor forward(torch::Tensor x) { return fc(torch::relu(layer2(torch::relu(layer1(x))))); }
  torch::nn::Linear layer1{nullptr}, layer2{nullptr}, fc{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto model = std::make_shared<Resnetish>();
  for (auto& p : model->parameters()) p.set_requires_grad(false);
  model->layer2->weight.set_requires_grad(true);
  model->fc->weight.set_requires_grad(true);
  model->fc->bias.set_requires_grad(true);
  torch::optim::SGD opt(model->parameters(), 0.1);
  auto x = torch::randn({10, 8});
  auto y = torch::randint(0, 2, {10});
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto h = torch::relu(model->layer1(x));
    h = torch::relu(model->layer2(h)).detach(); //-@
    h = torch::relu(model->layer2(h)); //+
    auto loss = torch::nn::functional::cross_entropy(model->fc(h), y);
    loss.backward();
    //= model->layer2->weight
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
