// leaf-inplace, throws: the pruning masks are multiplied into the parameters without a no-grad scope.
#include <torch/torch.h>
#include <iostream>
#include <map>
#include <string>

class LotteryTicket {
 public:
  LotteryTicket(torch::nn::Module& model, double keep) : model_(model) {
    for (const auto& item : model.named_parameters()) {
      if (item.key().find("weight") == std::string::npos) continue;
      auto magnitude = item.value().detach().abs().flatten();
      auto threshold = std::get<0>(magnitude.kthvalue(int64_t((1 - keep) * magnitude.numel()) + 1));
      masks_[item.key()] = (item.value().detach().abs() >= threshold).to(torch::kFloat);
    }
  }
  void apply() {
    torch::NoGradGuard no_grad; //+
    auto named = model_.named_parameters();
    for (auto& [name, mask] : masks_) named[name].mul_(mask); //@
  }

 private:
  torch::nn::Module& model_;
  std::map<std::string, torch::Tensor> masks_;
};

struct LeNet300 : torch::nn::Module {
  LeNet300() {
    fc1 = register_module("fc1", torch::nn::Linear(30, 20));
    fc2 = register_module("fc2", torch::nn::Linear(20, 5));
  }
  torch::Tensor forward(torch::Tensor x) { return torch::log_softmax(fc2(torch::relu(fc1(x))), 1); }
  torch::nn::Linear fc1{nullptr}, fc2{nullptr};
};

int main() {
  torch::manual_seed(8);
  LeNet300 net;
  LotteryTicket ticket(net, 0.3);
  torch::optim::SGD sgd(net.parameters(), 0.1);
  auto x = torch::randn({40, 30});
  auto y = torch::randint(5, {40}, torch::kLong);
  for (int i = 0; i < 3; ++i) {
    sgd.zero_grad();
    auto loss = torch::nll_loss(net.forward(x), y);
    loss.backward();
    sgd.step();
    ticket.apply();
    std::cout << loss.item<float>() << std::endl;
  }
  //= net
}
