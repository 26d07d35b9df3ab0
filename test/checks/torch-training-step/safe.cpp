// RUN: %check %s
// Steps that no later backward looks behind.
#include <torch/torch.h>

struct Net {
  torch::nn::Linear trunk{3, 3}, head{3, 1};
  std::vector<torch::Tensor> parameters() {
    auto all = trunk->parameters();
    for (auto &p : head->parameters())
      all.push_back(p);
    return all;
  }
};

void after_every_backward() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  auto h = torch::tanh(net.trunk(torch::ones({2, 3})));
  auto first = net.head(h).sum();
  auto second = net.head(h).pow(2).sum();
  first.backward({}, true);
  second.backward();
  optimizer.step();
}

void a_forward_pass_of_its_own() {
  Net net;
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    net.head(torch::tanh(net.trunk(torch::ones({2, 3})))).sum().backward();
    optimizer.step();
  }
}

void other_weights_than_those_of_the_open_loss() {
  // As adversarial training does: the critic steps while the generator's loss is still open, and
  // that loss does not go through the critic.
  torch::nn::Linear generator(3, 3), critic(3, 1);
  torch::optim::Adam critic_optimizer(critic->parameters(), 0.1);
  torch::optim::Adam generator_optimizer(generator->parameters(), 0.1);
  auto fake = generator(torch::ones({2, 3}));
  auto open = fake.pow(2).sum();
  critic(fake.detach()).sum().backward();
  critic_optimizer.step();
  open.backward();
  generator_optimizer.step();
}

void a_first_layer_whose_weights_backward_does_not_need() {
  torch::nn::Linear only(3, 1);
  torch::optim::SGD optimizer(only->parameters(), 0.1);
  auto y = only(torch::ones({2, 3}));
  auto first = y.sum();
  auto second = (y * 2).sum();
  first.backward({}, true);
  optimizer.step();
  second.backward();
}
