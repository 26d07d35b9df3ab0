// leaf-inplace, throws: the padding row of a weight is zeroed by assignment, without a guard.
#include <torch/torch.h>
#include <iostream>

struct Emb : torch::nn::Module {
  Emb(int n, int d) {
    w = register_parameter("w", torch::randn({n, d}));
    w[0] = torch::zeros({d}); //-@
    torch::NoGradGuard guard; //+
    w[0] = torch::zeros({d}); //+
  }
  torch::Tensor forward(torch::Tensor ids) { return torch::embedding(w, ids); }
  torch::Tensor w;
};

int main() {
  torch::manual_seed(0);
  auto emb = std::make_shared<Emb>(8, 3);
  torch::optim::SGD opt(emb->parameters(), 0.1);
  auto loss = emb->forward(torch::randint(0, 8, {5})).sum();
  loss.backward();
  opt.step();
  std::cout << loss.item<float>() << "\n";
  //= emb
}
