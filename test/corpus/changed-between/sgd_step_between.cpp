// changed-between, stale|wrong: SGD steps the shared trunk before the second loss walks its old graph.
#include <torch/torch.h>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential trunk(torch::nn::Linear(6, 6), torch::nn::Tanh(), torch::nn::Linear(6, 6));
  torch::nn::Linear headA(6, 1), headB(6, 1);
  auto all = [](std::initializer_list<std::vector<torch::Tensor>> lists) {
    std::vector<torch::Tensor> v;
    for (auto& l : lists) v.insert(v.end(), l.begin(), l.end());
    return v;
  };
  torch::optim::SGD optA(all({trunk->parameters(), headA->parameters()}), 0.5);
  torch::optim::SGD optB(all({trunk->parameters(), headB->parameters()}), 0.5);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::randn({10, 6});
    auto h = trunk->forward(x); //-
    auto lossB = headB(h).pow(2).mean(); //-
    auto lossA = headA(trunk->forward(x)).abs().mean();
    optA.zero_grad();
    lossA.backward();
    optA.step(); //@
    auto lossB = headB(trunk->forward(x)).pow(2).mean(); //+
    optB.zero_grad();
    lossB.backward();
    optB.step();
    std::cout << lossA.item<float>() << " " << lossB.item<float>() << "\n";
  }
  //= trunk
}
