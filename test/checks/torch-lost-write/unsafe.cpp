// RUN: %check %s
// Each program was run; its outcome is what was seen, `wrong` what follows from it.
#include <torch/torch.h>
using namespace torch;
using torch::indexing::Slice;
static Tensor Y() {
  return torch::randint(0, 3, {5}, torch::kLong);
}

static double total(const Tensor &t) {
  return t.sum().item<double>();
}

void mask_assign_data() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.index({x > 0}) = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:20: warning: {{.*}} [definite: wrong] [torch-lost-write]
  // CHECK-FIXES: x.index_put_({x > 0}, 0);
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void mask_assign_activation() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net(torch::randn({5, 4}));
  auto mask = h > 0;
  h.index({mask}) = 0.0;
  // CHECK-MESSAGES: :[[@LINE-1]]:19: warning: {{.*}} [definite: wrong] [torch-lost-write]
  // CHECK-FIXES: (h = h.clone()).index_put_({mask}, 0.0);
  auto loss = h.pow(2).mean();
  loss.backward();
  opt.step();
}

void mask_plus() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  auto rows = torch::tensor({0, 2}, torch::kLong);
  x.index({rows}) += 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:19: warning: {{.*}} [definite: wrong] [torch-lost-write]
  // CHECK-FIXES: x.index_put_({rows}, x.index({rows}) + (1));
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void mask_select_zero() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.masked_select(x > 1).zero_();
  // CHECK-MESSAGES: :[[@LINE-1]]:26: warning: {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void index_select_mul() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  auto rows = torch::tensor({0, 2}, torch::kLong);
  x.index_select(0, rows).mul_(3);
  // CHECK-MESSAGES: :[[@LINE-1]]:27: warning: {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void clone_scale() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.clone().mul_(0.5);
  // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void prune_weights() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  {
    NoGradGuard g;
    auto small = net->weight.abs() < 0.1;
    net->weight.index({small}) = 0;
    // CHECK-MESSAGES: :[[@LINE-1]]:32: warning: {{.*}} [definite: wrong] [torch-lost-write]
    // CHECK-FIXES: net->weight.index_put_({small}, 0);
  }
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  loss.backward();
  opt.step();
}

void parameters_element() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    for (size_t i = 0; i < net->parameters().size(); ++i)
      net->parameters()[i] = net->parameters()[i] - 0.1 * net->parameters()[i].grad();
      // CHECK-MESSAGES: :[[@LINE-1]]:28: warning: {{.*}} [definite: stale] [torch-lost-write]
  }
}

void loop_copy() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  double before = total(net->weight);
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    for (auto p : net->parameters())
      p = p - 0.1 * p.grad();
      // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: stale] [torch-lost-write]
  }
}

void loop_ref_copy() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    for (auto &p : net->parameters())
      p = p - 0.1 * p.grad();
      // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: {{.*}} [definite: stale] [torch-lost-write]
  }
}

void local_copy() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  double before = total(net->weight);
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    auto w = net->weight;
    w = w - 0.1 * w.grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: stale] [torch-lost-write]
  }
}

static void sgd(Tensor w, Tensor g) {
  w = w - 0.1 * g;
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: stale] [torch-lost-write]
}

void by_value() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    sgd(net->weight, net->weight.grad());
    sgd(net->bias, net->bias.grad());
  }
}

static void standardise(Tensor x) {
  x = (x - x.mean()) / x.std();
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: wrong] [torch-lost-write]
}

void by_value_data() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  standardise(x);
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void target_sync() {
  nn::Linear online(4, 3), target(4, 3);
  optim::SGD opt(online->parameters(), 0.1);
  for (int k = 0; k < 3; ++k) {
    auto x = torch::randn({5, 4});
    Tensor y;
    {
      NoGradGuard g;
      y = target(x);
    }
    auto loss = torch::mse_loss(online(x), y);
    opt.zero_grad();
    loss.backward();
    opt.step();
    auto from = online->parameters();
    for (size_t i = 0; i < from.size(); ++i)
      target->parameters()[i] = from[i].detach().clone();
      // CHECK-MESSAGES: :[[@LINE-1]]:31: warning: {{.*}} [definite: wrong] [torch-lost-write]
  }
}

void named_selection() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  auto bad = x.index({x > 2});
  bad.fill_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void mask_grad_update() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  auto rows = torch::tensor({0, 2}, torch::kLong);
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    net->weight.index({rows}) -= 0.1 * net->weight.grad().index({rows});
    // CHECK-MESSAGES: :[[@LINE-1]]:31: warning: {{.*}} [definite: stale] [torch-lost-write]
    // CHECK-FIXES: net->weight.index_put_({rows}, net->weight.index({rows}) - (0.1 * net->weight.grad().index({rows})));
  }
}

void elements_of_a_local_vector() {
  nn::Linear online(4, 3), target(4, 3);
  optim::SGD opt(online->parameters(), 0.1);
  for (int k = 0; k < 3; ++k) {
    auto x = torch::randn({5, 4});
    opt.zero_grad();
    torch::mse_loss(online(x), target(x).detach()).backward();
    opt.step();
    NoGradGuard g;
    auto to = target->parameters(), from = online->parameters();
    for (size_t i = 0; i < to.size(); ++i)
      to[i] = 0.9 * to[i] + 0.1 * from[i];
      // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} [definite: wrong] [torch-lost-write]
  }
}

void into_a_new_value() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net(torch::randn({5, 4}));
  h.abs().add_(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: the write goes into the value that 'abs' returns {{.*}} [definite: wrong] [torch-lost-write]
  auto loss = h.pow(2).mean();
  loss.backward();
  opt.step();
}

void average_of_gradients_rebound() {
  std::vector<Tensor> weights = {torch::randn({4, 3}), torch::zeros({3})};
  for (auto &w : weights)
    w.requires_grad_(true);
  for (int round = 0; round < 3; ++round) {
    std::vector<Tensor> sums;
    for (const auto &w : weights)
      sums.push_back(torch::zeros_like(w));
    for (int k = 0; k < 2; ++k) {
      auto loss = torch::addmm(weights[1], torch::randn({5, 4}), weights[0]).pow(2).mean();
      auto grads = torch::autograd::grad({loss}, weights);
      for (size_t i = 0; i < grads.size(); ++i)
        sums[i] += grads[i];
    }
    for (auto g : sums)
      g = g / 2;
      // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: the assignment rebinds the loop's copy of a handle; {{.*}} [definite: wrong] [torch-lost-write]
    NoGradGuard no_grad;
    for (size_t i = 0; i < weights.size(); ++i)
      weights[i] -= 0.01 * sums[i];
  }
}

static void collect(std::vector<Tensor> all, const nn::Module &m) {
  for (auto &p : m.parameters())
    all.push_back(p);
    // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: adds a parameter to a copy of the list, {{.*}} stale] [torch-lost-write]
}

void list_passed_by_value() {
  nn::Linear a(4, 4), b(4, 1);
  auto params = a->parameters();
  collect(params, *b);
  optim::SGD opt(params, 0.1);
  for (int i = 0; i < 3; ++i) {
    opt.zero_grad();
    b(a(torch::randn({5, 4}))).pow(2).mean().backward();
    opt.step();
  }
}

void stored_values_converted() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  const auto stored = torch::randn({3, 4}, torch::kDouble);
  {
    torch::NoGradGuard guard;
    net->weight.to(torch::kDouble).copy_(stored);
    // CHECK-MESSAGES: :[[@LINE-1]]:36: warning: {{.*}} [definite: wrong] [torch-lost-write]
  }
  net(torch::randn({5, 4})).pow(2).mean().backward();
  opt.step();
}
