// inplace-saved, throws: messages are added into the node features that the previous ReLU saved.
#include <torch/torch.h>
#include <iostream>

struct Graph {
  torch::Tensor x, src, dst, y;
};

Graph ring(int64_t n) {
  Graph g;
  g.x = torch::randn({n, 6});
  auto i = torch::arange(n);
  g.src = torch::cat({i, (i + 1) % n});
  g.dst = torch::cat({(i + 1) % n, i});
  g.y = (g.x.select(1, 0) > 0).to(torch::kLong);
  return g;
}

void scatter_messages(torch::Tensor& nodes, const torch::Tensor& messages, const torch::Tensor& where) {
  nodes.index_add_(0, where, messages); //-@
  nodes = nodes.index_add(0, where, messages); //+
}

struct GraphConv : torch::nn::Module {
  torch::nn::Linear self, neighbour;
  GraphConv(int64_t in, int64_t out) : self(in, out), neighbour(out, out) {
    register_module("self", self);
    register_module("neighbour", neighbour);
  }
  torch::Tensor forward(const torch::Tensor& x, const Graph& g) {
    auto h = torch::relu(self(x));
    auto messages = neighbour(h.index_select(0, g.src));
    scatter_messages(h, messages, g.dst);
    return h;
  }
};

struct GCN : torch::nn::Module {
  GraphConv first{6, 12}, second{12, 12};
  std::shared_ptr<torch::nn::LinearImpl> out = std::make_shared<torch::nn::LinearImpl>(12, 2);
  GCN() {
    register_module("first", std::shared_ptr<GraphConv>(&first, [](GraphConv*) {}));
    register_module("second", std::shared_ptr<GraphConv>(&second, [](GraphConv*) {}));
    register_module("out", out);
  }
  torch::Tensor forward(const Graph& g) {
    auto h = first.forward(g.x, g);
    h = second.forward(h, g);
    return torch::log_softmax(out->forward(h), 1);
  }
};

int main() {
  torch::manual_seed(21);
  GCN net;
  torch::optim::Adam opt(net.parameters(), torch::optim::AdamOptions(0.01).weight_decay(5e-4));
  auto g = ring(24);
  for (int epoch = 0; epoch < 10; epoch++) {
    net.train();
    opt.zero_grad();
    auto out = net.forward(g);
    auto loss = torch::nll_loss(out, g.y);
    loss.backward();
    opt.step();
    auto correct = out.argmax(1).eq(g.y).sum().item<int64_t>();
    std::cout << "epoch " << epoch << " loss " << loss.item<float>() << " acc " << correct / 24.0 << std::endl;
  }
  //= net
}
