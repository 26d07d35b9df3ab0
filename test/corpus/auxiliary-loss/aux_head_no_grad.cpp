// auxiliary-loss, undefined: the auxiliary classifier's loss is computed under a guard meant for the logging.
#include <torch/torch.h>
#include <iostream>

struct InceptionLike : torch::nn::Module {
  InceptionLike() {
    trunk1 = register_module("trunk1", torch::nn::Linear(10, 20));
    trunk2 = register_module("trunk2", torch::nn::Linear(20, 20));
    main_head = register_module("main_head", torch::nn::Linear(20, 4));
    aux_head = register_module("aux_head", torch::nn::Linear(20, 4));
  }
  std::tuple<torch::Tensor, torch::Tensor> forward(torch::Tensor x) {
    auto a = torch::relu(trunk1(x));
    auto aux = aux_head(a);
    return std::make_tuple(main_head(torch::relu(trunk2(a))), aux);
  }
  torch::nn::Linear trunk1{nullptr}, trunk2{nullptr}, main_head{nullptr}, aux_head{nullptr};
};

int main() {
  torch::manual_seed(3);
  InceptionLike net;
  torch::optim::SGD opt(net.parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  auto x = torch::randn({16, 10});
  auto y = torch::randint(0, 4, {16});
  torch::nn::CrossEntropyLoss criterion;
  for (int i = 0; i < 4; ++i) {
    opt.zero_grad();
    auto [logits, aux] = net.forward(x);
    torch::Tensor aux_loss;
    {
      torch::NoGradGuard no_grad; //-@
      aux_loss = criterion(aux, y);
      std::cout << "aux " << aux_loss.item<float>() << "\n";
    }
    auto loss = criterion(logits, y) + 0.3 * aux_loss;
    loss.backward();
    //= net
    opt.step();
  }
}
