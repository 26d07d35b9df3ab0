// inplace-saved, throws: the features are normalised in place after the attention scores were computed from them.
#include <torch/torch.h>
#include <iostream>

struct PoolImpl : torch::nn::Module {
  explicit PoolImpl(int64_t width) : score(width, 1), value(width, width) {
    register_module("score", score);
    register_module("value", value);
  }
  torch::Tensor forward(torch::Tensor features) {
    auto weights = torch::softmax(score(features), 1);
    centre(features); //-
    auto centred = features - features.mean(1, true); //+
    return (weights * value(features)).sum(1); //-
    return (weights * value(centred)).sum(1); //+
  }
  static void centre(torch::Tensor& t) {
    auto mean = t.mean(1, true);
    t.sub_(mean); //@
  }
  torch::nn::Linear score, value;
};
TORCH_MODULE(Pool);

int main() {
  torch::manual_seed(304);
  torch::nn::Linear embed(3, 8), out(8, 1);
  Pool pool(8);
  std::vector<torch::Tensor> params;
  for (const auto& list : {embed->parameters(), pool->parameters(), out->parameters()})
    params.insert(params.end(), list.begin(), list.end());
  torch::optim::Adam opt(params, 1e-2);
  for (int i = 0; i < 4; ++i) {
    auto bag = torch::randn({6, 10, 3});
    auto target = bag.amax(1).sum(1, true);
    auto loss = torch::mse_loss(out(pool(torch::tanh(embed(bag)))), target);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << "bag loss " << loss.item<float>() << "\n";
  }
  //= params
}
