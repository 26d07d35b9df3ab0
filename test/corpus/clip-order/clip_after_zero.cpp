// clip-order, wrong: a gradient norm is clipped through parameters that were collected before the model was rebuilt.
#include <torch/torch.h>
#include <iostream>

struct Model : torch::nn::Module {
  Model() { l = register_module("l", torch::nn::Linear(3, 3)); o = register_module("o", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return o(torch::relu(l(x))); }
  torch::nn::Linear l{nullptr}, o{nullptr};
};

int main() {
  torch::manual_seed(0);
  auto model = std::make_shared<Model>();
  auto params = model->parameters(); //-@
  model = std::make_shared<Model>(); // restart with fresh weights
  auto params = model->parameters(); //+
  torch::optim::SGD opt(model->parameters(), 0.2);
  auto x = torch::randn({10, 3}) * 5, y = torch::randn({10, 1}) * 20;
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    auto loss = torch::mse_loss(model->forward(x), y);
    loss.backward();
    torch::nn::utils::clip_grad_norm_(params, 1.0); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= model
}
