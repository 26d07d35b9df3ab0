// inplace-saved, throws: the class's own probability is zeroed in place to find the runner-up; softmax saved it.
#include <torch/torch.h>
#include <iostream>

using torch::indexing::Slice;

struct MarginLoss {
  float margin;
  torch::Tensor operator()(const torch::Tensor& logits, const torch::Tensor& labels) const {
    auto probabilities = torch::softmax(logits, 1);
    auto rows = torch::arange(labels.size(0));
    auto own = probabilities.index({rows, labels});
    auto others = probabilities; //-
    auto others = probabilities.clone(); //+
    others.index_put_({rows, labels}, 0.0); //@
    auto runner_up = std::get<0>(others.max(1));
    return torch::relu(margin - own + runner_up).mean() - torch::log(own + 1e-6).mean();
  }
};

struct Convnet : torch::nn::Module {
  Convnet() {
    features = torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3)), torch::nn::ReLU(),
                                     torch::nn::MaxPool2d(2), torch::nn::Flatten());
    register_module("features", features);
    register_module("classifier", classifier);
  }
  torch::Tensor forward(const torch::Tensor& x) { return classifier->forward(features->forward(x)); }
  torch::nn::Sequential features{nullptr};
  torch::nn::Linear classifier{4 * 3 * 3, 4};
};

int main() {
  torch::manual_seed(106);
  auto device = torch::kCPU;
  Convnet net;
  net.to(device);
  MarginLoss criterion{0.2f};
  torch::optim::Adagrad optimizer(net.parameters());
  auto images = torch::rand({12, 1, 8, 8}, device);
  auto labels = images.index({Slice(), 0, 0, Slice(0, 4)}).argmax(1);
  for (int i = 0; i < 5; ++i) {
    optimizer.zero_grad();
    auto loss = criterion(net.forward(images), labels);
    loss.backward();
    optimizer.step();
    std::cout << "iteration " << i << " loss " << loss.item<float>() << std::endl;
  }
  //= net
}
