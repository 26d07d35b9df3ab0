// clean: message passing that adds into fresh zeros, divides by counts in place, and logs along the way.
#include <torch/torch.h>
#include <iostream>
#include <vector>

torch::Tensor scatter_mean(const torch::Tensor& values, const torch::Tensor& index, int64_t n) {
  auto out = torch::zeros({n, values.size(1)}, values.options());
  out.index_add_(0, index, values);
  auto count = torch::zeros({n}, values.options());
  count.index_add_(0, index, torch::ones({index.size(0)}, values.options()));
  count.clamp_(1);
  out.div_(count.unsqueeze(1));
  return out;
}

struct SageImpl : torch::nn::Module {
  SageImpl(int64_t in, int64_t out) : self(torch::nn::LinearOptions(in, out)), other(torch::nn::LinearOptions(in, out).bias(false)) {
    register_module("self", self);
    register_module("other", other);
  }
  torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& edges) {
    auto h = self(x);
    h += other(scatter_mean(x.index_select(0, edges[0]), edges[1], x.size(0)));
    return h;
  }
  torch::nn::Linear self, other;
};
TORCH_MODULE(Sage);

class NodeClassifier : public torch::nn::Module {
 public:
  NodeClassifier(int64_t in, int64_t hidden, int64_t classes) {
    std::vector<int64_t> sizes = {in, hidden, hidden, classes};
    for (size_t i = 0; i + 1 < sizes.size(); ++i) layers->push_back(Sage(sizes[i], sizes[i + 1]));
    register_module("layers", layers);
  }
  torch::Tensor forward(torch::Tensor x, const torch::Tensor& edges) {
    for (size_t i = 0; i < layers->size(); ++i) {
      x = layers->at<SageImpl>(i).forward(x, edges);
      if (i + 1 < layers->size()) x = torch::dropout(x.relu_(), 0.2, is_training());
    }
    return x;
  }

 private:
  torch::nn::ModuleList layers;
};

int main() {
  torch::manual_seed(5);
  auto edges = torch::randint(0, 30, {2, 90});
  auto x = torch::randn({30, 4});
  auto y = (x.sum(1) > 0).to(torch::kLong);
  auto train_mask = torch::rand({30}) < 0.7;
  NodeClassifier net(4, 8, 2);
  torch::optim::Adam opt(net.parameters(), 1e-2);
  for (int epoch = 0; epoch < 6; ++epoch) {
    net.train();
    opt.zero_grad();
    auto out = net.forward(x, edges);
    auto loss = torch::nn::functional::cross_entropy(out.index({train_mask}), y.index({train_mask}));
    loss.backward();
    opt.step();
    net.eval();
    auto accuracy = net.forward(x, edges).argmax(1).eq(y).to(torch::kFloat).mean();
    std::cout << epoch << ' ' << loss.item<float>() << ' ' << accuracy.item<float>() << '\n';
  }
  //= std::shared_ptr<NodeClassifier>(&net, [](NodeClassifier*) {})
}
