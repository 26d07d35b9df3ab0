// RUN: %check %s
// Gradients that are not cleared, cleared too early, clipped too late, stepped too early or never.
#include <torch/torch.h>
#include <torch/version.h>

// LibTorch 1.13 knows no other way to clear.
#if TORCH_VERSION_MAJOR < 2
#define FILL_WITH_ZEROS zero_grad()
#else
#define FILL_WITH_ZEROS zero_grad(/*set_to_none=*/false)
#endif

struct Net : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  Net() {
    a = register_module("a", torch::nn::Linear(3, 4));
    b = register_module("b", torch::nn::Linear(4, 1));
  }
  torch::Tensor loss() { return b(torch::tanh(a(torch::rand({2, 3})))).pow(2).mean(); }
};

void never_cleared() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: {{.*}} [definite: stale] [torch-training-step]
    optimizer.step();
  }
}

void cleared_once_per_epoch() {
  Net net;
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  for (int epoch = 0; epoch < 9; ++epoch) {
    optimizer.zero_grad();
    for (int i = 0; i < 9; ++i) {
      net.loss().backward();
      // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} [definite: stale] [torch-training-step]
      optimizer.step();
    }
  }
}

void another_model_is_cleared() {
  Net net, target;
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    target.zero_grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: stale] [torch-training-step]
    net.loss().backward();
    optimizer.step();
  }
}

void one_of_two_is_not_cleared() {
  Net generator;
  torch::nn::Linear critic(1, 1);
  torch::optim::SGD g(generator.parameters(), 0.1), d(critic->parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    auto fake = generator.b(torch::tanh(generator.a(torch::rand({2, 3}))));
    critic(fake.detach()).pow(2).mean().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:41: warning: {{.*}} [definite: stale] [torch-training-step]
    d.step();
    g.zero_grad();
    (-critic(fake).mean()).backward();
    g.step();
  }
}

void by_hand_and_not_cleared() {
  auto w = torch::ones({3, 1}).requires_grad_(true);
  for (int i = 0; i < 9; ++i) {
    torch::mm(torch::rand({2, 3}), w).pow(2).mean().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:53: warning: {{.*}} [definite: stale] [torch-training-step]
    torch::NoGradGuard no_grad;
    w -= 0.01 * w.grad();
  }
}

void a_closure_that_does_not_clear() {
  Net net;
  torch::optim::LBFGS optimizer(net.parameters(), 0.1);
  optimizer.step([&] {
    auto loss = net.loss();
    loss.backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [definite: stale] [torch-training-step]
    return loss;
  });
}

void cleared_between_backward_and_step() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    optimizer.zero_grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [torch-training-step]
    optimizer.step();
  }
}

void cleared_to_zero() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    optimizer.FILL_WITH_ZEROS;
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: zero] [torch-training-step]
    optimizer.step();
  }
}

void cleared_for_every_micro_batch() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 16; ++i) {
    optimizer.zero_grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [possible: wrong] [torch-training-step]
    (net.loss() / 4).backward();
    if ((i + 1) % 4 == 0)
      optimizer.step();
  }
}

void cleared_between_two_backwards_of_a_step() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    optimizer.zero_grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: wrong] [torch-training-step]
    net.loss().backward();
    optimizer.step();
  }
}

void stepped_before_backward() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    auto loss = net.loss();
    optimizer.step();
    // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: stale] [torch-training-step]
    loss.backward();
  }
}

void never_stepped() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: {{.*}} [definite: stale] [torch-training-step]
  }
}

void clipped_after_the_step() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
    torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-training-step]
  }
}

void clipped_before_backward() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    auto loss = net.loss();
    torch::nn::utils::clip_grad_value_(net.parameters(), 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-training-step]
    loss.backward();
    optimizer.step();
  }
}

void another_model_is_clipped() {
  Net net, target;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    torch::nn::utils::clip_grad_norm_(target.parameters(), 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-training-step]
    optimizer.step();
  }
}

void clipped_before_the_last_backward() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-training-step]
    net.loss().backward();
    optimizer.step();
  }
}

void the_first_of_each_period_is_cleared() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 12; ++i) {
    net.loss().backward();
    if (i % 4 == 0)
      optimizer.zero_grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:17: warning: this clears {{.*}} [possible: wrong] [torch-training-step]
    if (i % 4 == 3)
      optimizer.step();
  }
}

struct Judged {
  torch::nn::Linear generator{3, 4}, critic{4, 1};
  torch::optim::SGD forge{generator->parameters(), 0.1}, judge{critic->parameters(), 0.1};
};

void the_critic_is_cleared_too_early() {
  Judged gan;
  for (int i = 0; i < 9; ++i) {
    gan.forge.zero_grad();
    gan.judge.zero_grad();
    auto fake = torch::tanh(gan.generator(torch::rand({2, 3})));
    (-gan.critic(fake)).mean().backward();
    gan.forge.step();
    auto loss = gan.critic(fake.detach()).mean() - gan.critic(torch::rand({2, 4})).mean();
    loss.backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: backward() adds to gradients that another optimizer's loss left {{.*}} [possible: stale] [torch-training-step]
    gan.judge.step();
  }
}

template <typename Optimizer> void fit(Net &net, Optimizer &optimizer) {
  for (int i = 0; i < 3; ++i) {
    net.loss().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: backward() adds to gradients that another optimizer's loss left and nobody cleared [possible: stale] [torch-training-step]
    optimizer.step();
    optimizer.zero_grad();
  }
}

void the_head_first() {
  Net net;
  torch::optim::SGD head(net.b->parameters(), 0.1);
  fit(net, head);
  torch::optim::Adam all(net.parameters(), 0.1);
  fit(net, all);
}

void an_attack_before() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    auto x = torch::ones({2, 3});
    for (int k = 0; k < 3; ++k) {
      x = x.detach().requires_grad_(true);
      net.b(net.a(x)).pow(2).mean().backward();
      x = x + 0.1 * x.grad().sign();
    }
    net.b(net.a(x.detach())).pow(2).mean().backward();
    // CHECK-MESSAGES: :[[@LINE-1]]:44: warning: backward() adds to gradients that the search for an input left and nobody cleared [possible: stale] [torch-training-step]
    optimizer.step();
  }
}
