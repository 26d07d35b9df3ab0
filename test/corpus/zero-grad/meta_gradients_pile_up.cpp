// zero-grad, stale: the hyper-network's gradients are never cleared; only those of the inner net are.
#include <torch/torch.h>
#include <iostream>

struct Shared {
  torch::nn::Linear encoder{5, 8};
  torch::nn::Linear regression{8, 1}, classification{8, 2};
};

class MultiTask {
 public:
  MultiTask()
      : trunk_(net_.encoder->parameters(), torch::optim::SGDOptions(0.02)),
        heads_(collect(), torch::optim::SGDOptions(0.05)) {}

  void step(const torch::Tensor& x) {
    auto y = x.sum(1, true);
    auto label = (x.select(1, 0) > 0).to(torch::kLong);
    heads_.zero_grad();
    trunk_.zero_grad(); //+
    auto h = torch::relu(net_.encoder(x));
    auto loss = torch::mse_loss(net_.regression(h), y) + torch::nn::functional::cross_entropy(net_.classification(h), label);
    loss.backward(); //@
    heads_.step();
    trunk_.step(); //@
    std::cout << loss.item<float>() << '\n';
  }
  Shared& net() { return net_; }

 private:
  std::vector<torch::Tensor> collect() {
    std::vector<torch::Tensor> all = net_.regression->parameters();
    auto more = net_.classification->parameters();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  Shared net_;
  torch::optim::SGD trunk_, heads_;
};

int main() {
  torch::manual_seed(303);
  MultiTask task;
  for (int i = 0; i < 5; ++i) task.step(torch::randn({12, 5}));
  //= task.net().encoder, task.net().regression, task.net().classification
}
