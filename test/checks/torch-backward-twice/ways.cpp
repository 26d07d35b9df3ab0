// RUN: %check %s
// Branches after which a program goes on in the same way, and those after which it does not.
#include <torch/torch.h>
#include <iostream>

bool option(int which);

struct Net {
  torch::nn::Linear fc{4, 4};
  torch::optim::SGD optimizer{fc->parameters(), 0.1};
  torch::Tensor loss() { return fc(torch::ones({2, 4})).pow(2).mean(); }
};

// One of the ways to compute the loss walks it, the others do not.
void walked_on_one_way_only() {
  Net net;
  auto loss = net.loss();
  if (option(1))
    loss.backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [possible: throws] [torch-backward-twice]
  loss.backward();
}

// The two conditions are one: nothing is walked twice.
void walked_on_one_way_or_the_other() {
  Net net;
  bool early = option(2);
  auto loss = net.loss();
  if (early)
    loss.backward();
  if (!early)
    loss.backward();
}

// A step is taken only where the loss is large; every round begins with a loss of its own.
void steps_now_and_then() {
  Net net;
  torch::Tensor loss;
  for (int i = 0; i < 10; ++i) {
    loss = net.loss();
    if (loss.item<float>() > 0.5f) {
      net.optimizer.zero_grad();
      loss.backward();
      net.optimizer.step();
    }
  }
}

// The same with a state that is cut off only now and then.
void cuts_now_and_then() {
  torch::nn::Linear fc(4, 4);
  auto state = torch::zeros({2, 4});
  for (int i = 0; i < 10; ++i) {
    auto next = torch::tanh(fc(state));
    next.pow(2).mean().backward();
    if (option(i))
      state = next.detach();
    else
      state = next;
    // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} [possible: throws] [torch-backward-twice]
    // CHECK-FIXES: state = next.detach();
  }
}

// Three losses to choose from: the rounds are alike behind the step.
void chooses_a_loss() {
  Net net;
  torch::Tensor loss, out;
  for (int epoch = 0; epoch < 10; ++epoch)
    for (int i = 0; i < 10; ++i) {
      out = net.fc(torch::ones({2, 4}));
      if (option(3))
        loss = torch::l1_loss(out, torch::zeros({2, 4}));
      else if (option(4))
        loss = torch::mse_loss(out, torch::zeros({2, 4}));
      else
        loss = out.pow(2).mean();
      net.optimizer.zero_grad();
      loss.backward();
      net.optimizer.step();
      if (option(i))
        std::cout << loss.item<float>();
    }
  std::cout << out.detach();
}

// What is read behind the loop is the last round's graph, walked or not.
void reads_the_graph_behind_the_loop() {
  torch::nn::Linear fc(4, 4);
  torch::Tensor loss;
  for (int i = 0; i < 10; ++i) {
    loss = fc(torch::ones({2, 4})).pow(2).mean();
    if (option(i))
      loss.backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [possible: throws] [torch-backward-twice]
  }
  loss.backward();
}

// One way trains with the graph, the other leaves it alone: it goes on as one that perhaps was walked.
void trains_only_where_there_is_enough() {
  torch::nn::Linear fc(4, 4);
  torch::optim::SGD opt(fc->parameters(), 0.1);
  auto loss = fc(torch::ones({2, 4})).pow(2).mean();
  // CHECK-MESSAGES: :[[@LINE-1]]:46: warning: {{.*}} [definite: stale] [torch-parameter-identity]
  if (option(0)) {
    opt.zero_grad();
    loss.backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [possible: throws] [torch-backward-twice]
    opt.step();
  }
  loss.backward();
}
