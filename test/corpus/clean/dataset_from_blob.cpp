// clean: a custom data set reads each sample into its own buffer and clones it; FGSM gradients come from autograd::grad.
#include <torch/torch.h>
#include <iostream>
#include <vector>

class Readings : public torch::data::datasets::Dataset<Readings> {
 public:
  explicit Readings(size_t n) : n_(n) {}
  torch::data::Example<> get(size_t index) override {
    std::vector<float> raw(6);
    for (size_t i = 0; i < raw.size(); ++i) raw[i] = std::sin(0.7f * float(index * 6 + i));
    auto x = torch::from_blob(raw.data(), {6}, torch::kFloat).clone();
    return {x, torch::tensor(int64_t(index % 3))};
  }
  torch::optional<size_t> size() const override { return n_; }

 private:
  size_t n_;
};

torch::Tensor fgsm(torch::nn::Sequential& net, torch::Tensor x, const torch::Tensor& y, double eps) {
  x = x.detach().clone().requires_grad_(true);
  auto loss = torch::nn::functional::cross_entropy(net->forward(x), y);
  auto g = torch::autograd::grad({loss}, {x})[0];
  return (x + eps * g.sign()).detach();
}

int main() {
  torch::manual_seed(1);
  auto loader = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(
      Readings(30).map(torch::data::transforms::Stack<>()), torch::data::DataLoaderOptions().batch_size(10).workers(0));
  torch::nn::Sequential net(torch::nn::Linear(6, 20), torch::nn::BatchNorm1d(20), torch::nn::ReLU(), torch::nn::Dropout(0.2), torch::nn::Linear(20, 3));
  torch::optim::SGD opt(net->parameters(), torch::optim::SGDOptions(0.1).nesterov(true).momentum(0.9));
  for (int epoch = 1; epoch <= 3; ++epoch) {
    net->train();
    double sum = 0;
    size_t batches = 0;
    for (auto& batch : *loader) {
      auto adv = fgsm(net, batch.data, batch.target, 0.05);
      auto loss = 0.5 * torch::nn::functional::cross_entropy(net->forward(batch.data), batch.target) +
                  0.5 * torch::nn::functional::cross_entropy(net->forward(adv), batch.target);
      opt.zero_grad();
      loss.backward();
      opt.step();
      sum += loss.item<double>();
      ++batches;
    }
    std::cout << "epoch " << epoch << " " << sum / batches << std::endl;
  }
}
