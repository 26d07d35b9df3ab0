// missing-detach, wrong: the temporal-difference target of Q-learning is computed with gradients.
#include <torch/torch.h>
#include <iostream>

torch::nn::Sequential make_net() {
  return torch::nn::Sequential(torch::nn::Linear(5, 20), torch::nn::ReLU(), torch::nn::Linear(20, 4));
}

int main() {
  torch::manual_seed(0);
  auto q_net = make_net();
  torch::optim::SGD opt(q_net->parameters(), 0.01);
  const double gamma = 0.9;
  for (int it = 0; it < 4; ++it) {
    auto obs = torch::randn({10, 5}), next_obs = torch::randn({10, 5});
    auto reward = torch::rand({10}), done = torch::zeros({10});
    auto action = torch::randint(0, 4, {10, 1});
    torch::Tensor chosen = q_net->forward(obs).gather(1, action).squeeze(-1);
    torch::Tensor best = q_net->forward(next_obs).amax(1); //-@
    torch::Tensor best; //+
    { torch::NoGradGuard guard; best = q_net->forward(next_obs).amax(1); } //+
    torch::Tensor td = reward + gamma * (1 - done) * best - chosen;
    auto loss = td.pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << loss.item<float>() << "\n";
  }
  //= q_net
}
