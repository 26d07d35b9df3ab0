// graph-carried, throws: embeddings are cached by key together with their graph, which the first backward frees.
#include <torch/torch.h>
#include <iostream>
#include <unordered_map>

class NodeEncoder : public torch::nn::Module {
 public:
  NodeEncoder() : lin1(6, 16), lin2(16, 8) {
    register_module("lin1", lin1);
    register_module("lin2", lin2);
  }
  torch::Tensor encode(int node, const torch::Tensor& features) {
    auto hit = cache_.find(node);
    if (hit != cache_.end()) return hit->second;
    auto z = lin2(torch::relu(lin1(features[node])));
    cache_[node] = z; //-@
    return z;
  }
  void forget() { cache_.clear(); }

 private:
  torch::nn::Linear lin1, lin2;
  std::unordered_map<int, torch::Tensor> cache_;
};

int main() {
  torch::manual_seed(6);
  auto encoder = std::make_shared<NodeEncoder>();
  torch::optim::Adam adam(encoder->parameters(), 1e-2);
  const auto features = torch::randn({5, 6});
  const std::vector<std::pair<int, int>> edges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 0}};
  for (int epoch = 0; epoch < 3; ++epoch) {
    torch::Tensor loss = torch::zeros({});
    for (const auto& [from, to] : edges) {
      auto a = encoder->encode(from, features), b = encoder->encode(to, features);
      auto negative = encoder->encode((to + 2) % 5, features);
      loss = loss - torch::log_sigmoid(a.dot(b)) - torch::log_sigmoid(-a.dot(negative));
    }
    adam.zero_grad();
    loss.backward();
    adam.step();
    encoder->forget(); //+
    std::cout << "epoch " << epoch << ": " << loss.item<float>() << std::endl;
  }
  //= encoder
}
