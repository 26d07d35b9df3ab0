// snapshot, wrong: the environment writes its state in place, and the replay memory holds that one state many times.
#include <torch/torch.h>
#include <deque>
#include <iostream>
#include <vector>

struct Env {
  torch::Tensor state = torch::zeros({3});
  torch::Tensor step(double push) {
    state.add_(torch::randn({3}) + push);
    return state;
  }
};

int main() {
  torch::manual_seed(2);
  torch::nn::Linear value(3, 1);
  torch::optim::Adam opt(value->parameters(), 0.05);
  for (int episode = 0; episode < 2; ++episode) {
    Env env;
    std::vector<torch::Tensor> states;
    for (int t = 0; t < 6; ++t) {
      states.push_back(env.step(0.1)); //-@
      states.push_back(env.step(0.1).clone()); //+
    }
    auto returns = torch::arange(6, torch::kFloat).unsqueeze(1);
    auto loss = torch::mse_loss(value(torch::stack(states)), returns);
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= value
}
