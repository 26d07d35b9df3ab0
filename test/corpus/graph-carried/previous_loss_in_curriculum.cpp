// graph-carried, throws: the smoothing term compares with the loss of the round before, graph included.
#include <torch/torch.h>
#include <iostream>

class TripletNet : public torch::nn::Module {
 public:
  TripletNet() {
    net = torch::nn::Sequential(torch::nn::Linear(8, 16), torch::nn::BatchNorm1d(16), torch::nn::ReLU(), torch::nn::Linear(16, 4));
    register_module("net", net);
  }
  torch::Tensor forward(torch::Tensor x) {
    return torch::nn::functional::normalize(net->forward(x), torch::nn::functional::NormalizeFuncOptions().dim(1));
  }
  torch::nn::Sequential net{nullptr};
};

struct SmoothTriplet {
  double margin = 0.3, smooth = 0.1;
  torch::Tensor previous;

  torch::Tensor operator()(const torch::Tensor& a, const torch::Tensor& p, const torch::Tensor& n) {
    auto d_ap = (a - p).pow(2).sum(1);
    auto d_an = (a - n).pow(2).sum(1);
    auto loss = torch::relu(d_ap - d_an + margin).mean();
    auto total = loss;
    if (previous.defined()) total = total + smooth * (loss - previous).abs();
    previous = loss; //-@
    previous = loss.detach(); //+
    return total;
  }
};

int main(int argc, char* argv[]) {
  torch::manual_seed(42);
  auto net = std::make_shared<TripletNet>();
  net->train();
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.02).momentum(0.9).nesterov(true));
  SmoothTriplet criterion;
  const int iterations = argc > 1 ? std::atoi(argv[1]) : 6;
  for (int i = 0; i < iterations; ++i) {
    auto base = torch::randn({10, 8});
    auto anchor = net->forward(base);
    auto positive = net->forward(base + 0.1 * torch::randn_like(base));
    auto negative = net->forward(torch::randn({10, 8}));
    auto loss = criterion(anchor, positive, negative);
    sgd.zero_grad();
    loss.backward();
    sgd.step();
    std::cout << "[" << i << "] " << loss.item<float>() << std::endl;
  }
  //= net
}
