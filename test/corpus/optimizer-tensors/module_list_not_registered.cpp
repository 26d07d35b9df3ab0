// optimizer-tensors, stale: the ModuleList is a local of the constructor that is copied to a member but never registered.
#include <torch/torch.h>
#include <iostream>

struct GCNLayerImpl : torch::nn::Module {
  GCNLayerImpl(int in, int out) { lin = register_module("lin", torch::nn::Linear(in, out)); }
  torch::Tensor forward(torch::Tensor x, torch::Tensor adj) { return lin(adj.mm(x)); }
  torch::nn::Linear lin{nullptr};
};
TORCH_MODULE(GCNLayer);

struct GCN : torch::nn::Module {
  GCN(std::vector<int> sizes) {
    for (size_t i = 0; i + 1 < sizes.size(); ++i) layers->push_back(GCNLayer(sizes[i], sizes[i + 1]));
    register_module("layers", layers); //+
    readout = register_module("readout", torch::nn::Linear(sizes.back(), 3));
  }
  torch::Tensor forward(torch::Tensor x, torch::Tensor adj) {
    for (const auto& l : *layers) x = torch::relu(l->as<GCNLayer>()->forward(x, adj));
    return readout(x);
  }
  torch::nn::ModuleList layers; //@
  torch::nn::Linear readout{nullptr}; //@
};

int main() {
  torch::manual_seed(5);
  GCN gcn({6, 16, 16});
  torch::optim::Adam opt(gcn.parameters(), 1e-2);
  auto adj = torch::softmax(torch::randn({12, 12}), 1), x = torch::randn({12, 6});
  auto y = torch::randint(0, 3, {12});
  for (int epoch = 0; epoch < 5; ++epoch) {
    opt.zero_grad();
    auto loss = torch::nll_loss(torch::log_softmax(gcn.forward(x, adj), 1), y);
    loss.backward();
    opt.step();
    std::cout << "epoch " << epoch << " " << loss.item<float>() << "\n";
  }
  //= gcn
}
