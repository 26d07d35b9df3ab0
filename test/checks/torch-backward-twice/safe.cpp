// RUN: %check %s
// Values that go from one round to the next without their graph, and graphs walked once, or retained.
#include <torch/torch.h>

struct Net {
  torch::nn::Linear trunk{3, 4}, head{4, 1}, other{4, 1};
  torch::Tensor features() { return torch::tanh(trunk(torch::ones({2, 3}))); }
};

void truncated_backpropagation() {
  torch::nn::LSTM lstm(3, 4);
  auto h = torch::zeros({1, 2, 4}), c = torch::zeros({1, 2, 4});
  for (int i = 0; i < 5; ++i) {
    auto [out, state] = lstm(torch::ones({5, 2, 3}), std::make_tuple(h, c));
    out.pow(2).mean().backward();
    h = std::get<0>(state).detach();
    c = std::get<1>(state).detach();
  }
}

void a_state_within_one_loss() {
  torch::nn::Linear input(3, 4), recurrent(4, 4);
  for (int epoch = 0; epoch < 5; ++epoch) {
    auto hidden = torch::zeros({2, 4});
    for (int i = 0; i < 5; ++i)
      hidden = torch::tanh(input(torch::ones({2, 3})) + recurrent(hidden));
    hidden.pow(2).mean().backward();
  }
}

void a_total_for_the_log() {
  Net net;
  auto total = torch::zeros({});
  double number = 0;
  for (int i = 0; i < 5; ++i) {
    auto loss = net.head(net.features()).mean();
    total += loss.detach();
    number += loss.item<double>();
    loss.backward();
  }
}

void a_total_over_a_window() {
  Net net;
  auto total = torch::zeros({});
  for (int i = 0; i < 8; ++i) {
    total = total + net.head(net.features()).mean();
    if ((i + 1) % 4 == 0) {
      total.backward();
      total = torch::zeros({});
    }
  }
}

void a_replay_buffer() {
  Net net;
  std::vector<torch::Tensor> memory;
  for (int i = 0; i < 5; ++i) {
    auto y = net.head(net.features());
    memory.push_back(y.detach());
    (torch::stack(memory).mean() * y.mean()).backward();
  }
}

void two_losses() {
  Net net;
  auto f = net.features();
  auto first = net.head(f).mean(), second = net.other(f).mean();
  first.backward({}, /*retain_graph=*/true);
  second.backward();
  f = net.features();
  (net.head(f).mean() + net.other(f).mean()).backward();
}

void gradients_of_a_sum_need_nothing_saved() {
  auto w = torch::ones({3}).requires_grad_(true);
  auto s = w.sum();
  s.backward();
  s.backward();
}

void adversarial_training() {
  torch::nn::Sequential generator(torch::nn::Linear(3, 4), torch::nn::Tanh(), torch::nn::Linear(4, 1));
  torch::nn::Linear critic(1, 1);
  torch::optim::SGD g(generator->parameters(), 0.1), d(critic->parameters(), 0.1);
  for (int i = 0; i < 5; ++i) {
    auto fake = generator->forward(torch::ones({2, 3}));
    d.zero_grad();
    critic(fake.detach()).pow(2).mean().backward();
    d.step();
    g.zero_grad();
    (-critic(fake).mean()).backward();
    g.step();
  }
}

struct Remembers : torch::nn::Module {
  torch::nn::Linear input{nullptr}, recurrent{nullptr};
  torch::Tensor state;
  Remembers() {
    input = register_module("input", torch::nn::Linear(3, 4));
    recurrent = register_module("recurrent", torch::nn::Linear(4, 4));
    forget();
  }
  void forget() { state = torch::zeros({2, 4}); }
  torch::Tensor forward(torch::Tensor x) {
    state = torch::tanh(input(x) + recurrent(state));
    return state;
  }
};

void forgets_between_sequences() {
  Remembers net;
  for (int epoch = 0; epoch < 5; ++epoch) {
    net.forget();
    for (int i = 0; i < 5; ++i)
      net.forward(torch::ones({2, 3}));
    net.forward(torch::ones({2, 3})).mean().backward();
  }
}

void two_roots_of_one_backward() {
  torch::nn::Linear trunk(3, 4), one(4, 1), two(4, 1);
  auto h = torch::tanh(trunk(torch::ones({2, 3})));
  torch::autograd::backward({one(h).pow(2).mean(), two(h).exp().mean()}, {});
}
