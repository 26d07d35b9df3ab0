// clean: a graph network with index_add_ into fresh tensors and ReLU in place where nothing of it was saved.
#include <torch/torch.h>
#include <iostream>

struct Gather {
  torch::Tensor source, target;
  int64_t nodes;
  torch::Tensor mean(const torch::Tensor& messages) const {
    auto sum = torch::zeros({nodes, messages.size(1)}, messages.options());
    sum.index_add_(0, target, messages);
    auto degree = torch::zeros({nodes}).index_add_(0, target, torch::ones({target.size(0)}));
    return sum.div_(degree.clamp_min_(1).unsqueeze(1));
  }
};

struct SageLayerImpl : torch::nn::Module {
  SageLayerImpl(int64_t in, int64_t out) : self(in, out), neighbour(torch::nn::LinearOptions(in, out).bias(false)) {
    register_module("self", self);
    register_module("neighbour", neighbour);
  }
  torch::Tensor forward(const torch::Tensor& h, const Gather& graph) {
    auto out = self(h);
    out += neighbour(graph.mean(h.index_select(0, graph.source)));
    return out.relu_();
  }
  torch::nn::Linear self, neighbour;
};
TORCH_MODULE(SageLayer);

struct Sage : torch::nn::Module {
  Sage() {
    for (int64_t i = 0; i < 2; ++i) layers.push_back(register_module("layer" + std::to_string(i), SageLayer(i ? 16 : 5, 16)));
    readout = register_module("readout", torch::nn::Linear(16, 2));
  }
  torch::Tensor forward(torch::Tensor h, const Gather& graph) {
    for (auto& layer : layers) h = layer(h, graph);
    return readout(h);
  }
  std::vector<SageLayer> layers;
  torch::nn::Linear readout{nullptr};
};

int main() {
  torch::manual_seed(20);
  Gather graph{torch::tensor({0, 1, 2, 3, 4, 5, 0, 3}), torch::tensor({1, 2, 0, 4, 5, 3, 3, 0}), 6};
  Sage net;
  torch::optim::Adam opt(net.parameters(), torch::optim::AdamOptions(1e-2).weight_decay(5e-4));
  auto features = torch::randn({6, 5});
  auto labels = torch::tensor({0, 0, 0, 1, 1, 1});
  auto known = torch::tensor({true, false, true, true, false, true});
  for (int epoch = 0; epoch < 5; ++epoch) {
    net.train();
    opt.zero_grad();
    auto out = net.forward(features, graph);
    auto loss = torch::cross_entropy_loss(out.index({known}), labels.index({known}));
    loss.backward();
    opt.step();
    auto correct = out.argmax(1).eq(labels).logical_and_(~known).sum().item<int64_t>();
    std::cout << loss.item<float>() << " " << correct << "/2\n";
  }
}
