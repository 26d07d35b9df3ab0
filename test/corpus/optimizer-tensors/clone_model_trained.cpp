// optimizer-tensors, stale|undefined: the optimizer is built over the original, the loop trains the clone.
#include <torch/torch.h>
#include <iostream>
struct NetImpl : torch::nn::Cloneable<NetImpl> {
  NetImpl() { reset(); }
  void reset() override { fc = register_module("fc", torch::nn::Linear(4, 2)); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
  torch::nn::Linear fc{nullptr};
};
TORCH_MODULE(Net);
int main() {
  torch::manual_seed(0);
  Net original;
  Net worker = std::dynamic_pointer_cast<NetImpl>(original->clone());
  torch::optim::SGD opt(original->parameters(), 0.1); //-@
  torch::optim::SGD opt(worker->parameters(), 0.1); //+
  for (int i = 0; i < 3; ++i) {
    auto loss = worker->forward(torch::randn({5, 4})).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= worker
}
