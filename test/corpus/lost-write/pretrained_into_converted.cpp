// lost-write, wrong: the pretrained values are copied into what to(kDouble) returned, not into the weights.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

using Dict = std::map<std::string, torch::Tensor>;

static Dict pretrained() {
  Dict d;
  d["embed.weight"] = torch::randn({15, 8}, torch::kDouble);
  d["proj.weight"] = torch::randn({4, 8}, torch::kDouble);
  return d;
}

static int load_into(torch::nn::Module& model, const Dict& state) {
  torch::NoGradGuard guard;
  int loaded = 0;
  for (auto& item : model.named_parameters()) {
    auto found = state.find(item.key());
    if (found == state.end()) continue;
    item.value().to(torch::kDouble).copy_(found->second); //-@
    item.value().copy_(found->second.to(item.value().scalar_type())); //+
    ++loaded;
  }
  return loaded;
}

struct Net : torch::nn::Module {
  Net() {
    embed = register_module("embed", torch::nn::Embedding(15, 8));
    proj = register_module("proj", torch::nn::Linear(8, 4));
  }
  torch::Tensor forward(const torch::Tensor& ids) { return proj(embed(ids).sum(1)); }
  torch::nn::Embedding embed{nullptr};
  torch::nn::Linear proj{nullptr};
};

int main() {
  torch::manual_seed(61);
  auto net = std::make_shared<Net>();
  std::cout << load_into(*net, pretrained()) << " tensors loaded\n";
  torch::optim::SGD opt(net->parameters(), 0.01);
  auto ids = torch::randint(0, 15, {10, 3});
  auto y = torch::randint(0, 4, {10});
  for (int e = 0; e < 3; ++e) {
    opt.zero_grad();
    auto loss = torch::cross_entropy_loss(net->forward(ids), y);
    loss.backward();
    opt.step();
    std::cout << "epoch " << e << " loss " << loss.item<float>() << "\n";
  }
  //= net
}
