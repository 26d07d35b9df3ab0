// RUN: %check %s
// Graphs that a second backward() walks: kept over the rounds of a loop, or shared by two losses.
#include <torch/torch.h>

struct Net {
  torch::nn::Linear trunk{3, 4}, head{4, 1}, other{4, 1};
  torch::Tensor features() { return torch::tanh(trunk(torch::ones({2, 3}))); }
};

void a_state_kept_for_the_next_round() {
  torch::nn::Linear input(3, 4), recurrent(4, 4);
  auto hidden = torch::zeros({2, 4});
  for (int i = 0; i < 5; ++i) {
    auto next = torch::tanh(input(torch::ones({2, 3})) + recurrent(hidden));
    next.pow(2).mean().backward();
    hidden = next;
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: throws] [torch-backward-twice]
    // CHECK-FIXES: hidden = next.detach();
  }
}

void a_state_that_its_own_loss_reads() {
  torch::nn::Linear input(3, 4), recurrent(4, 4);
  auto hidden = torch::zeros({2, 4});
  for (int i = 0; i < 5; ++i) {
    hidden = torch::tanh(input(torch::ones({2, 3})) + recurrent(hidden));
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: throws] [torch-backward-twice]
    hidden.pow(2).mean().backward();
  }
}

void an_lstm_state() {
  torch::nn::LSTM lstm(3, 4);
  auto h = torch::zeros({1, 2, 4}), c = torch::zeros({1, 2, 4});
  for (int i = 0; i < 5; ++i) {
    auto [out, state] = lstm(torch::ones({5, 2, 3}), std::make_tuple(h, c));
    h = std::get<0>(state);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: throws] [torch-backward-twice]
    c = std::get<1>(state);
    out.pow(2).mean().backward();
  }
}

void a_running_total() {
  Net net;
  auto total = torch::zeros({});
  for (int i = 0; i < 5; ++i) {
    total += net.head(net.features()).mean();
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: {{.*}} [definite: throws] [torch-backward-twice]
    total.backward();
  }
}

void a_replay_buffer() {
  Net net;
  std::vector<torch::Tensor> memory;
  for (int i = 0; i < 5; ++i) {
    auto y = net.head(net.features());
    memory.push_back(y);
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: throws] [torch-backward-twice]
    (torch::stack(memory).pow(2).mean() + y.mean()).backward();
  }
}

void a_moving_average() {
  Net net;
  auto baseline = torch::zeros({2, 1});
  for (int i = 0; i < 5; ++i) {
    auto y = net.head(net.features());
    baseline = 0.9 * baseline + 0.1 * y;
    // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: throws] [torch-backward-twice]
    (y - baseline - 1).pow(2).mean().backward();
  }
}

void features_computed_once() {
  Net net;
  auto f = net.features();
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: throws] [torch-backward-twice]
  for (int i = 0; i < 5; ++i)
    net.head(f).pow(2).mean().backward();
}

void two_losses_of_one_forward_pass() {
  Net net;
  auto f = net.features();
  auto first = net.head(f).mean(), second = net.other(f).mean();
  first.backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: throws] [torch-backward-twice]
  // CHECK-FIXES: first.backward({}, /*retain_graph=*/true);
  second.backward();
}

void the_same_loss_twice() {
  Net net;
  auto loss = net.head(net.features()).pow(2).mean();
  loss.backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: throws] [torch-backward-twice]
  loss.backward();
}

void a_critic_that_reads_the_generator() {
  torch::nn::Sequential generator(torch::nn::Linear(3, 4), torch::nn::Tanh(), torch::nn::Linear(4, 1));
  torch::nn::Linear critic(1, 1);
  torch::optim::SGD g(generator->parameters(), 0.1), d(critic->parameters(), 0.1);
  for (int i = 0; i < 5; ++i) {
    auto fake = generator->forward(torch::ones({2, 3}));
    d.zero_grad();
    auto critic_loss = critic(fake).pow(2).mean();
    // CHECK-MESSAGES: :[[@LINE-1]]:24: warning: {{.*}} [definite: throws] [torch-backward-twice]
    critic_loss.backward();
    d.step();
    g.zero_grad();
    auto generator_loss = -critic(fake).mean();
    generator_loss.backward();
    g.step();
  }
}

// The value comes in where the critic of the user's is called.
struct Critic : torch::nn::Module {
  torch::nn::Linear judge{nullptr};
  Critic() { judge = register_module("judge", torch::nn::Linear(1, 1)); }
  torch::Tensor forward(torch::Tensor x) { return judge(x); }
};

void a_critic_with_a_function_of_its_own() {
  torch::nn::Sequential generator(torch::nn::Linear(3, 4), torch::nn::Tanh(), torch::nn::Linear(4, 1));
  Critic critic;
  torch::optim::SGD g(generator->parameters(), 0.1), d(critic.parameters(), 0.1);
  for (int i = 0; i < 5; ++i) {
    auto fake = generator->forward(torch::ones({2, 3}));
    d.zero_grad();
    auto critic_loss = critic.forward(fake).pow(2).mean();
    // CHECK-MESSAGES: :[[@LINE-1]]:31: warning: {{.*}} [definite: throws] [torch-backward-twice]
    critic_loss.backward();
    d.step();
    g.zero_grad();
    auto generator_loss = -critic.forward(fake).mean();
    generator_loss.backward();
    g.step();
  }
}

// The variable is given two values in a round: the last one is kept.
void a_state_that_is_scaled() {
  torch::nn::Linear step(4, 4);
  torch::optim::SGD opt(step->parameters(), 0.1);
  auto h = torch::zeros({2, 4});
  for (int i = 0; i < 3; ++i) {
    h = torch::tanh(step(h));
    h = h.mul(0.9);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: this keeps a value {{.*}} [definite: throws] [torch-backward-twice]
    opt.zero_grad();
    h.pow(2).mean().backward();
    opt.step();
  }
}

// The state is a local for as long as the call lasts; it is the map that keeps it.
struct StreamState {
  torch::Tensor h;
};

struct Streams {
  torch::nn::Linear cell{3, 3};
  std::map<int, StreamState> states;
  torch::Tensor feed(int stream) {
    auto known = states.find(stream);
    StreamState state = known == states.end() ? StreamState{torch::zeros({2, 3})} : known->second;
    state.h = torch::tanh(cell(state.h));
    states[stream] = state;
    // CHECK-MESSAGES: :[[@LINE-1]]:20: warning: this keeps a value with its graph, {{.*}} throws] [torch-backward-twice]
    return state.h.pow(2).mean();
  }
};

void states_in_a_map() {
  Streams streams;
  torch::optim::SGD optimizer(streams.cell->parameters(), 0.1);
  for (int i = 0; i < 6; ++i) {
    auto loss = streams.feed(i % 2);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
}

// What the last step of a window made is walked first in the next one.
struct Filter {
  torch::Tensor rate, mean = torch::zeros({1});
  torch::Tensor surprise(const torch::Tensor &z) {
    auto predicted = rate * mean;
    auto off = z - predicted;
    mean = predicted + 0.5 * off;
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: this keeps a value with its graph, {{.*}} [definite: throws] [torch-backward-twice]
    return off.square().sum();
  }
};

void windows_of_a_filter() {
  Filter filter;
  filter.rate = torch::full({1}, 0.8).requires_grad_(true);
  torch::optim::SGD optimizer({filter.rate}, 0.1);
  for (int window = 0; window < 3; ++window) {
    auto total = torch::zeros({});
    for (int t = 0; t < 4; ++t)
      total = total + filter.surprise(torch::ones({1}));
    optimizer.zero_grad();
    total.backward();
    optimizer.step();
  }
}
