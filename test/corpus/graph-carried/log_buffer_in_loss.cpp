// graph-carried, throws: a history of losses is averaged into the loss of the next step.
#include <torch/torch.h>
#include <deque>
#include <iostream>

int main() {
  torch::manual_seed(0);
  torch::nn::Linear model(3, 1);
  torch::optim::SGD opt(model->parameters(), 0.01);
  std::deque<torch::Tensor> window;
  for (int i = 0; i < 4; ++i) {
    auto x = torch::randn({10, 3});
    auto loss = (model(x) - x.sum(1, true)).pow(2).mean();
    window.push_back(loss); //-@
    window.push_back(loss.detach()); //+
    if (window.size() > 3) window.pop_front();
    auto baseline = torch::stack(std::vector<torch::Tensor>(window.begin(), window.end())).mean();
    opt.zero_grad();
    (loss + 0.1 * (loss - baseline).abs()).backward(); //@
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= model
}
