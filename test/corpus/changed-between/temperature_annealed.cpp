// changed-between, throws: the temperature buffer is annealed in place after the logits were divided by it.
#include <torch/torch.h>
#include <iostream>

class Selector : public torch::nn::Module {
 public:
  Selector(int features, int choices) : scores_(features, choices) {
    register_module("scores", scores_);
    gain_ = register_parameter("gain", torch::ones({choices}));
    temperature_ = register_buffer("temperature", torch::full({1}, 2.0));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    auto logits = scores_(x) * gain_;
    return torch::softmax(logits / temperature_, -1);
  }
  void anneal() { temperature_.mul_(0.95).clamp_(0.1); } //@

 private:
  torch::nn::Linear scores_;
  torch::Tensor gain_, temperature_;
};

int main() {
  torch::manual_seed(1);
  Selector selector(7, 4);
  std::vector<torch::Tensor> experts;
  for (int k = 0; k < 4; ++k) experts.push_back(torch::randn({7}));
  auto bank = torch::stack(experts);
  torch::optim::Adam opt(selector.parameters(), 0.01);
  auto x = torch::randn({16, 7});
  auto target = x.flip(1);
  for (int t = 0; t < 3; t++) {
    auto mix = torch::matmul(selector.forward(x), bank);
    auto loss = torch::l1_loss(mix, target);
    selector.anneal(); //-
    opt.zero_grad();
    loss.backward();
    opt.step();
    selector.anneal(); //+
    std::cout << loss.item<float>() << std::endl;
  }
  //= selector
}
