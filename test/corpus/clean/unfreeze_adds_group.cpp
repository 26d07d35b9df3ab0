// clean: the frozen trunk is released after some epochs and handed to the optimizer as a second group.
#include <torch/torch.h>
#include <iostream>
#include <limits>
#include <sstream>

struct TrunkImpl : torch::nn::Module {
  TrunkImpl() {
    layers = register_module("layers", torch::nn::ModuleList());
    for (int i = 0; i < 3; ++i) layers->push_back(torch::nn::Linear(i ? 16 : 6, 16));
  }
  torch::Tensor forward(torch::Tensor x) {
    for (const auto& layer : *layers) x = torch::relu(layer->as<torch::nn::Linear>()->forward(x));
    return x;
  }
  torch::nn::ModuleList layers{nullptr};
};
TORCH_MODULE(Trunk);

struct FineTuner : torch::nn::Module {
  FineTuner() : trunk(register_module("trunk", Trunk())), head(register_module("head", torch::nn::Linear(16, 4))) {}
  torch::Tensor forward(const torch::Tensor& x) { return head(trunk(x)); }
  void freeze(bool frozen) {
    for (auto& p : trunk->parameters()) p.set_requires_grad(!frozen);
  }
  Trunk trunk;
  torch::nn::Linear head;
};

int main() {
  torch::manual_seed(88);
  auto model = std::make_shared<FineTuner>();
  model->freeze(true);
  torch::optim::Adam opt(model->head->parameters(), torch::optim::AdamOptions(1e-2));
  auto x = torch::randn({40, 6}), y = torch::randint(0, 4, {40});
  std::stringstream best;
  float best_loss = std::numeric_limits<float>::max();
  int patience = 0;
  for (int epoch = 0; epoch < 8 && patience < 3; ++epoch) {
    if (epoch == 3) {
      model->freeze(false);
      opt.add_param_group(torch::optim::OptimizerParamGroup(model->trunk->parameters(), std::make_unique<torch::optim::AdamOptions>(1e-3)));
    }
    model->train();
    opt.zero_grad();
    auto loss = torch::cross_entropy_loss(model->forward(x), y);
    loss.backward();
    opt.step();
    float value = loss.item<float>();
    if (value < best_loss) {
      best_loss = value;
      best.str("");
      torch::save(model, best);
      patience = 0;
    } else {
      ++patience;
    }
    for (auto& group : opt.param_groups()) static_cast<torch::optim::AdamOptions&>(group.options()).lr(group.options().get_lr() * 0.9);
    std::cout << epoch << ' ' << value << '\n';
  }
  torch::load(model, best);
  torch::NoGradGuard guard;
  model->eval();
  std::cout << "best " << torch::cross_entropy_loss(model->forward(x), y).item<float>() << '\n';
}
