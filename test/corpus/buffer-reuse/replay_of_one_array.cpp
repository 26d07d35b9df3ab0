// buffer-reuse, wrong: the observations kept for the update are all made over one array, which every step fills anew.
#include <torch/torch.h>
#include <array>
#include <cmath>
#include <iostream>
#include <vector>

class Pendulum {
 public:
  void reset() { angle_ = 0.3f; speed_ = 0; write(); }
  float step(float torque) {
    speed_ += 0.1f * (std::sin(angle_) + torque);
    angle_ += 0.1f * speed_;
    write();
    return -angle_ * angle_;
  }
  torch::Tensor observation() {
    return torch::from_blob(state_.data(), {3}, torch::kFloat32); //-@
    return torch::from_blob(state_.data(), {3}, torch::kFloat32).clone(); //+
  }

 private:
  void write() { state_ = {std::cos(angle_), std::sin(angle_), speed_}; } //-@
  void write() { state_ = {std::cos(angle_), std::sin(angle_), speed_}; } //+
  float angle_ = 0, speed_ = 0;
  std::array<float, 3> state_{};
};

int main() {
  torch::manual_seed(7);
  Pendulum env;
  torch::nn::Sequential value(torch::nn::Linear(3, 16), torch::nn::Tanh(), torch::nn::Linear(16, 1));
  torch::optim::Adam opt(value->parameters(), 1e-2);
  for (int episode = 0; episode < 3; ++episode) {
    std::vector<torch::Tensor> observations;
    std::vector<float> rewards;
    env.reset();
    for (int t = 0; t < 10; ++t) {
      observations.push_back(env.observation());
      rewards.push_back(env.step(t % 2 ? 0.5f : -0.4f));
    }
    for (size_t t = rewards.size() - 1; t-- > 0;) rewards[t] += 0.9f * rewards[t + 1];
    auto loss = torch::mse_loss(value->forward(torch::stack(observations)).squeeze(1), torch::tensor(rewards));
    opt.zero_grad();
    loss.backward();
    opt.step();
    std::cout << episode << ' ' << loss.item<float>() << std::endl;
  }
  //= value
}
