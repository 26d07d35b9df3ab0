// grad-mode, undefined: the embedding layer is called under NoGradGuard though it is meant to be trained.
#include <torch/torch.h>
#include <iostream>
struct Text : torch::nn::Module {
  Text() { emb = register_module("emb", torch::nn::Embedding(20, 8)); fc = register_module("fc", torch::nn::Linear(8, 2)); }
  torch::Tensor embed(torch::Tensor ids) {
    torch::NoGradGuard no_grad; //-@
    return emb(ids).mean(1);
  }
  torch::Tensor forward(torch::Tensor ids) { return fc(embed(ids)); }
  torch::nn::Embedding emb{nullptr};
  torch::nn::Linear fc{nullptr};
};
int main() {
  torch::manual_seed(0);
  Text net;
  torch::optim::Adam opt(net.parameters(), 0.01);
  for (int i = 0; i < 2; ++i) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(torch::randint(0, 20, {6, 5})), torch::randint(0, 2, {6}));
    loss.backward();
    //= net
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
}
