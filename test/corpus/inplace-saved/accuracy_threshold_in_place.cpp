// inplace-saved, throws: the accuracy meter thresholds the probabilities in place before backward runs.
#include <torch/torch.h>
#include <iostream>
#include <string>

class Meter {
 public:
  void add(torch::Tensor probabilities, const torch::Tensor& labels) {
    auto hits = probabilities.detach().ge_(0.5).eq(labels); //-@
    auto hits = probabilities.detach().ge(0.5).eq(labels); //+
    correct_ += hits.sum().item<int64_t>();
    total_ += labels.numel();
  }
  double value() const { return total_ ? double(correct_) / total_ : 0.0; }
  void reset() { correct_ = total_ = 0; }

 private:
  int64_t correct_ = 0, total_ = 0;
};

struct Tagger : torch::nn::Module {
  Tagger() : body(register_module("body", torch::nn::Linear(14, 30))), tags(register_module("tags", torch::nn::Linear(30, 6))) {}
  torch::Tensor forward(const torch::Tensor& x) { return tags(torch::leaky_relu(body(x), 0.1)).sigmoid(); }
  torch::nn::Linear body, tags;
};

int main(int argc, char** argv) {
  torch::manual_seed(argc > 1 ? std::stoi(argv[1]) : 4);
  auto tagger = std::make_shared<Tagger>();
  torch::optim::Adagrad optimizer(tagger->parameters(), torch::optim::AdagradOptions(0.02));
  Meter meter;
  auto x = torch::randn({25, 14});
  auto y = (x.slice(1, 0, 6) > 0).to(torch::kFloat);
  for (int epoch = 0; epoch < 3; ++epoch) {
    meter.reset();
    optimizer.zero_grad();
    auto p = tagger->forward(x);
    auto loss = torch::binary_cross_entropy(p, y);
    meter.add(p, y);
    loss.backward();
    optimizer.step();
    std::cout << "loss " << loss.item<float>() << " accuracy " << meter.value() << std::endl;
  }
  //= tagger
}
