// optimizer-tensors, stale|undefined: the optimizer is built before the classifier head is replaced for the new task.
#include <torch/torch.h>
#include <iostream>

struct NetImpl : torch::nn::Module {
  explicit NetImpl(int classes) {
    backbone = register_module("backbone", torch::nn::Sequential(
        torch::nn::Linear(20, 32), torch::nn::ReLU(), torch::nn::Linear(32, 16), torch::nn::ReLU()));
    head = register_module("head", torch::nn::Linear(16, classes));
  }
  torch::Tensor forward(torch::Tensor x) { return head(backbone->forward(x)); }
  torch::nn::Sequential backbone{nullptr};
  torch::nn::Linear head{nullptr};
};
TORCH_MODULE(Net);

int main() {
  torch::manual_seed(0);
  Net net(1000);
  torch::optim::SGD opt(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9)); //-@
  net->replace_module("head", torch::nn::Linear(16, 5)); //@
  net->head = std::dynamic_pointer_cast<torch::nn::LinearImpl>(net->named_children()["head"]);
  torch::optim::SGD opt(net->parameters(), torch::optim::SGDOptions(0.05).momentum(0.9)); //+

  auto x = torch::randn({64, 20});
  auto y = torch::randint(0, 5, {64});
  for (int epoch = 0; epoch < 5; ++epoch) {
    opt.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net->forward(x), y);
    loss.backward();
    opt.step();
    std::cout << "epoch " << epoch << " loss " << loss.item<float>() << std::endl;
  }
  //= net
}
