// optimizer-tensors, stale: hidden layers live in a std::vector and are never registered.
#include <torch/torch.h>
#include <iostream>
#include <string>
#include <vector>

class MLP : public torch::nn::Module {
 public:
  MLP(int in, int hidden, int depth, int out) {
    int width = in;
    for (int i = 0; i < depth; i++) {
      torch::nn::Linear fc(width, hidden); //-@
      auto fc = register_module("fc" + std::to_string(i), torch::nn::Linear(width, hidden)); //+
      layers_.push_back(fc); //@
      width = hidden;
    }
    out_ = register_module("out", torch::nn::Linear(width, out));
  }

  torch::Tensor forward(torch::Tensor x) {
    for (auto& layer : layers_) x = torch::tanh(layer->forward(x));
    return out_->forward(x);
  }

 private:
  std::vector<torch::nn::Linear> layers_; //@
  torch::nn::Linear out_{nullptr};
};

int main() {
  torch::manual_seed(1);
  auto model = std::make_shared<MLP>(4, 16, 3, 1);
  torch::optim::Adam optimizer(model->parameters(), torch::optim::AdamOptions(1e-2));
  torch::Tensor data = torch::randn({128, 4});
  torch::Tensor target = data.pow(2).sum(1, true);
  for (int it = 0; it < 20; it++) {
    auto pred = model->forward(data);
    auto loss = torch::mse_loss(pred, target);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (it % 5 == 0) std::cout << it << ": " << loss.item<double>() << "\n";
  }
  torch::NoGradGuard g;
  //= torch::mse_loss(model->forward(data), target).item<double>()
}
