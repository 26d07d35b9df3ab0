// zero-grad, stale: the gradients are cleared at the start of an epoch, while every batch steps.
#include <torch/torch.h>
#include <iostream>

using Loader = std::vector<torch::data::Example<>>;

template <typename Model>
double run_epoch(Model& model, torch::optim::Optimizer& opt, const Loader& batches) {
  double sum = 0;
  opt.zero_grad(); //-@
  for (size_t b = 0; b < batches.size(); ++b) {
    auto out = model->forward(batches[b].data);
    auto loss = torch::nn::functional::smooth_l1_loss(out, batches[b].target);
    opt.zero_grad(); //+
    loss.backward(); //@
    opt.step(); //@
    sum += loss.template item<double>();
  }
  return sum / batches.size();
}

int main() {
  torch::manual_seed(0);
  Loader batches;
  for (int i = 0; i < 7; ++i) batches.emplace_back(torch::randn({4, 3}), torch::randn({4, 2}));
  auto model = torch::nn::Linear(3, 2);
  torch::optim::Adam opt(model->parameters(), 1e-2);
  for (int epoch = 0; epoch < 3; ++epoch) std::cout << run_epoch(model, opt, batches) << "\n";
  //= model
}
