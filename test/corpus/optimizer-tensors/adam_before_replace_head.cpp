// optimizer-tensors, stale: the classifier is replaced for the new task after the optimizer was built over the old one.
#include <torch/torch.h>
#include <iostream>

struct Classifier : torch::nn::Module {
  Classifier(int64_t classes) {
    features = register_module("features", torch::nn::Linear(9, 18));
    head = register_module("head", torch::nn::Linear(18, classes));
  }
  void new_head(int64_t classes) {
    head = torch::nn::Linear(18, classes);
    replace_module("head", head);
  }
  torch::Tensor forward(torch::Tensor x) { return head(torch::relu(features(x))); }
  torch::nn::Linear features{nullptr}, head{nullptr};
};

int main() {
  torch::manual_seed(0);
  Classifier net(10);
  torch::optim::Adam adam(net.parameters(), 1e-2); //-@
  net.new_head(3); //@
  torch::optim::Adam adam(net.parameters(), 1e-2); //+
  auto x = torch::randn({15, 9});
  auto y = torch::randint(0, 3, {15});
  for (int i = 0; i < 3; ++i) {
    adam.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net.forward(x), y);
    loss.backward();
    adam.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= net
}
