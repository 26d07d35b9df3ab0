// RUN: %check %s
// Gradients that accumulate on purpose, are discarded on purpose, and steps that are skipped.
#include <torch/torch.h>

#include <limits>

struct Net : torch::nn::Module {
  torch::nn::Linear a{nullptr}, b{nullptr};
  Net() {
    a = register_module("a", torch::nn::Linear(3, 4));
    b = register_module("b", torch::nn::Linear(4, 1));
  }
  torch::Tensor forward(torch::Tensor x) { return b(torch::tanh(a(x))); }
  torch::Tensor loss() { return forward(torch::rand({2, 3})).pow(2).mean(); }
};

void accumulation() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  optimizer.zero_grad();
  for (int i = 0; i < 16; ++i) {
    (net.loss() / 4).backward();
    if ((i + 1) % 4 == 0) {
      torch::nn::utils::clip_grad_norm_(net.parameters(), 0.5);
      optimizer.step();
      optimizer.zero_grad();
    }
  }
}

void accumulation_with_two_conditions() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 16; ++i) {
    if (i % 4 == 0)
      optimizer.zero_grad();
    (net.loss() / 4).backward();
    if (i % 4 == 3)
      optimizer.step();
  }
}

void cleared_behind_the_step() {
  Net net;
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    optimizer.step();
    optimizer.zero_grad();
  }
}

void a_step_that_is_skipped() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    auto loss = net.loss();
    loss.backward();
    if (torch::isfinite(loss).all().item<bool>())
      optimizer.step();
  }
}

void adversarial_training() {
  // Each loss fills the other's gradients as well, which its own zero_grad() discards.
  Net generator;
  torch::nn::Linear critic(1, 1);
  torch::optim::SGD g(generator.parameters(), 0.1), d(critic->parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    d.zero_grad();
    critic(generator.forward(torch::rand({2, 3}))).pow(2).mean().backward();
    d.step();
    g.zero_grad();
    (-critic(generator.forward(torch::rand({2, 3}))).mean()).backward();
    g.step();
  }
}

void two_backwards_of_a_step() {
  torch::nn::Linear critic(3, 1);
  torch::optim::Adam d(critic->parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    critic->zero_grad();
    critic(torch::rand({2, 3})).mean().backward();
    (-critic(torch::rand({2, 3})).mean()).backward();
    d.step();
  }
}

void an_adversarial_input() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    auto x = torch::rand({2, 3}).requires_grad_(true);
    net.forward(x).pow(2).mean().backward();
    auto adversarial = (x + 0.1 * x.grad().sign()).detach();
    optimizer.zero_grad();
    net.forward(adversarial).pow(2).mean().backward();
    optimizer.step();
  }
}

void a_closure() {
  Net net;
  torch::optim::LBFGS optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i)
    optimizer.step([&] {
      optimizer.zero_grad();
      auto loss = net.loss();
      loss.backward();
      return loss;
    });
}

void by_hand() {
  auto w = torch::ones({3, 1}).requires_grad_(true);
  auto velocity = torch::zeros({3, 1});
  for (int i = 0; i < 9; ++i) {
    torch::mm(torch::rand({2, 3}), w).pow(2).mean().backward();
    torch::NoGradGuard no_grad;
    velocity.mul_(0.9).add_(w.grad());
    w -= 0.01 * velocity;
    w.mutable_grad().reset();
  }
  for (int i = 0; i < 9; ++i) {
    torch::mm(torch::rand({2, 3}), w).pow(2).mean().backward();
    w.data().sub_(0.01 * w.grad());
    w.grad().zero_();
  }
  for (int i = 0; i < 9; ++i) {
    torch::mm(torch::rand({2, 3}), w).pow(2).mean().backward();
    torch::NoGradGuard no_grad;
    w.add_(w.grad(), -0.01);
    w.mutable_grad() = torch::Tensor();
  }
}

void two_optimizers_of_one_backward() {
  Net net;
  torch::optim::SGD trunk(net.a->parameters(), 0.1), head(net.b->parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    trunk.zero_grad();
    head.zero_grad();
    net.loss().backward();
    trunk.step();
    head.step();
  }
}

void a_norm_that_is_measured() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  double norm = 0;
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    optimizer.step();
    norm += torch::nn::utils::clip_grad_norm_(net.parameters(), std::numeric_limits<double>::infinity());
  }
}

void gradients_that_are_looked_at() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    net.loss().backward();
    for (auto &p : net.parameters())
      std::cout << p.grad().norm() << '\n';
  }
}

void a_gradient_penalty() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    optimizer.zero_grad();
    auto x = torch::rand({2, 3}).requires_grad_(true);
    auto y = net.forward(x);
    auto g = torch::autograd::grad({y.sum()}, {x}, {}, true, true)[0];
    (y.mean() + (g.norm() - 1).pow(2)).backward();
    optimizer.step();
  }
}

void train_elsewhere(Net &net, torch::optim::Optimizer &optimizer);

void steps_where_we_do_not_look() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 9; ++i) {
    net.loss().backward();
    train_elsewhere(net, optimizer);
  }
}

struct Judged {
  torch::nn::Linear generator{3, 4}, critic{4, 1};
  torch::optim::SGD forge{generator->parameters(), 0.1}, judge{critic->parameters(), 0.1};
};

void the_critic_is_cleared_before_its_own_loss() {
  Judged gan;
  for (int i = 0; i < 9; ++i) {
    gan.forge.zero_grad();
    auto fake = torch::tanh(gan.generator(torch::rand({2, 3})));
    (-gan.critic(fake)).mean().backward();
    gan.forge.step();
    gan.judge.zero_grad();
    auto loss = gan.critic(fake.detach()).mean() - gan.critic(torch::rand({2, 4})).mean();
    loss.backward();
    gan.judge.step();
  }
}

// The trunk learns from both losses, by the second optimizer.
void a_trunk_under_two_losses() {
  torch::nn::Linear trunk(3, 4), actor(4, 2), critic(4, 1);
  auto params = trunk->parameters();
  for (auto &p : critic->parameters())
    params.push_back(p);
  torch::optim::SGD first(actor->parameters(), 0.1), second(params, 0.1);
  for (int i = 0; i < 9; ++i) {
    first.zero_grad();
    second.zero_grad();
    actor(torch::tanh(trunk(torch::rand({2, 3})))).pow(2).mean().backward();
    first.step();
    critic(torch::tanh(trunk(torch::rand({2, 3})))).pow(2).mean().backward();
    second.step();
  }
}

template <typename Optimizer> void fit(Net &net, Optimizer &optimizer) {
  optimizer.zero_grad();
  for (int i = 0; i < 3; ++i) {
    net.loss().backward();
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

// Clean and attacked data in one step; the gradients that the attack leaves are cleared, or are what
// the step is for.
void attacks() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = torch::ones({2, 3});
    for (int k = 0; k < 3; ++k) {
      x = x.detach().requires_grad_(true);
      net.b(net.a(x)).pow(2).mean().backward();
      x = x + 0.1 * x.grad().sign();
    }
    optimizer.zero_grad();
    auto clean = torch::ones({2, 3}, torch::requires_grad());
    net.b(net.a(clean)).pow(2).mean().backward();
    net.b(net.a(clean.detach() + 0.1 * clean.grad().sign())).pow(2).mean().backward();
    optimizer.step();
    optimizer.zero_grad();
    for (int k = 0; k < 3; ++k) {
      x = x.detach().requires_grad_(true);
      (net.b(net.a(x)).pow(2).mean() / 3).backward();
      x = x + 0.1 * x.grad().sign();
    }
    optimizer.step();
  }
}

// Points of a differential equation require grad, their own gradients are nobody's business.
void collocation_points() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    for (int k = 0; k < 3; ++k) {
      auto x = torch::ones({2, 3}, torch::requires_grad());
      auto u = net.b(torch::tanh(net.a(x)));
      torch::autograd::grad({u.sum()}, {x}, {}, true, true)[0].pow(2).mean().backward();
    }
    net.loss().backward();
    optimizer.step();
  }
}
