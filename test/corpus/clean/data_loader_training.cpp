// clean: torch::data with a custom data set, stacked batches and evaluation under a guard.
#include <torch/torch.h>
#include <iostream>

class Blobs : public torch::data::datasets::Dataset<Blobs> {
 public:
  explicit Blobs(size_t n) : x_(torch::randn({static_cast<int64_t>(n), 4})), y_((x_.sum(1) > 0).to(torch::kLong)) {}
  torch::data::Example<> get(size_t i) override { return {x_[i].clone(), y_[i]}; }
  torch::optional<size_t> size() const override { return x_.size(0); }
 private:
  torch::Tensor x_, y_;
};

struct Net : torch::nn::Module {
  Net() { a = register_module("a", torch::nn::Linear(4, 8)); d = register_module("d", torch::nn::Dropout(0.2)); b = register_module("b", torch::nn::Linear(8, 2)); }
  torch::Tensor forward(torch::Tensor x) { return torch::log_softmax(b(d(torch::relu(a(x)))), 1); }
  torch::nn::Linear a{nullptr}, b{nullptr};
  torch::nn::Dropout d{nullptr};
};

template <typename Loader>
void train(size_t epoch, Net& net, torch::Device device, Loader& loader, torch::optim::Optimizer& opt) {
  net.train();
  size_t batch_idx = 0;
  for (auto& batch : loader) {
    auto data = batch.data.to(device), targets = batch.target.to(device);
    opt.zero_grad();
    auto loss = torch::nll_loss(net.forward(data), targets);
    AT_ASSERT(!std::isnan(loss.template item<float>()));
    loss.backward();
    opt.step();
    if (batch_idx++ % 2 == 0) std::printf("\rTrain Epoch: %ld Loss: %.4f", epoch, loss.template item<float>());
  }
}

template <typename Loader>
void test(Net& net, torch::Device device, Loader& loader) {
  torch::NoGradGuard no_grad;
  net.eval();
  double loss = 0;
  int32_t correct = 0;
  for (const auto& batch : loader) {
    auto out = net.forward(batch.data.to(device));
    loss += torch::nll_loss(out, batch.target, {}, torch::Reduction::Sum).template item<float>();
    correct += out.argmax(1).eq(batch.target).sum().template item<int64_t>();
  }
  std::printf("\nTest loss %.4f correct %d\n", loss, correct);
}

int main() {
  torch::manual_seed(1);
  torch::Device device(torch::kCPU);
  Net net;
  net.to(device);
  auto train_set = Blobs(32).map(torch::data::transforms::Stack<>());
  auto train_loader = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(std::move(train_set), 8);
  auto test_loader = torch::data::make_data_loader(Blobs(16).map(torch::data::transforms::Stack<>()), torch::data::DataLoaderOptions().batch_size(8).workers(0));
  torch::optim::SGD opt(net.parameters(), torch::optim::SGDOptions(0.01).momentum(0.5));
  for (size_t epoch = 1; epoch <= 2; ++epoch) {
    train(epoch, net, device, *train_loader, opt);
    test(net, device, *test_loader);
  }
}
