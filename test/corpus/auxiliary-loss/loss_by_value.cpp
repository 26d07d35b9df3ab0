// auxiliary-loss, wrong|undefined: the term is added to a parameter passed by value, the caller's loss never has it.
#include <torch/torch.h>
#include <iostream>

using namespace torch::indexing;

struct SegNet : torch::nn::Module {
  SegNet() {
    stem = register_module("stem", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 8, 3).padding(1)));
    mask = register_module("mask", torch::nn::Conv2d(8, 2, 1));
    edge = register_module("edge", torch::nn::Conv2d(8, 1, 1));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    x = torch::relu(stem(x));
    return std::make_tuple(mask(x), edge(x));
  }
  torch::nn::Conv2d stem{nullptr}, mask{nullptr}, edge{nullptr};
};

void add_edge_loss(torch::Tensor total, const torch::Tensor& edges, const torch::Tensor& labels, double weight) { //-
void add_edge_loss(torch::Tensor& total, const torch::Tensor& edges, const torch::Tensor& labels, double weight) { //+
  auto dx = labels.index({Slice(), Slice(), Slice(1, None)}) != labels.index({Slice(), Slice(), Slice(None, -1)});
  auto target = torch::constant_pad_nd(dx.to(torch::kFloat), {0, 1});
  total = total + weight * torch::binary_cross_entropy_with_logits(edges.squeeze(1), target); //@
}

int main() {
  torch::manual_seed(23);
  SegNet net;
  torch::optim::Adam opt(net.parameters(), 1e-2);
  auto images = torch::randn({2, 3, 10, 10});
  auto labels = (images.index({Slice(), 0}) > 0).to(torch::kLong);
  for (int i = 0; i < 4; ++i) {
    auto [logits, edges] = net.forward(images);
    auto loss = torch::nn::functional::cross_entropy(logits, labels);
    add_edge_loss(loss, edges, labels, 0.5); //@
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << '\n';
  }
  //= net
}
