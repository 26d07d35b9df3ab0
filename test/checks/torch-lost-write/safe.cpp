// RUN: %check %s
// Writes that arrive, and handles that are rebound and used.
#include <torch/torch.h>
using namespace torch;
using torch::indexing::Slice;
using torch::indexing::None;

void slice_assign() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.index({Slice(0, 2)}) = 0;
  x.index({0, Slice()}) += 1;
  x[1] = 3;
  x[2][1] = 5;
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void mask_put() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  x.index_put_({x > 0}, 0);
  x.masked_fill_(x < -1, 0);
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void used_copy() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4});
  auto y = x.clone().mul_(2);
  auto z = x.index({torch::tensor({0, 1, 2, 3, 4}, torch::kLong)}).add_(1);
  auto sel = x.index({torch::tensor({0}, torch::kLong)});
  sel += 1;
  auto loss = net(x).pow(2).mean() + net(y).mean() + net(z).mean() + net(sel).mean();
  loss.backward();
  opt.step();
}

void not_used_for_training() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = torch::randn({5, 4}), shown = torch::randn({5, 4});
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
  shown.index({shown > 0}) = 0;
  auto m = shown.sum().item<float>();
}

void in_place_update() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = net(x).pow(2).mean();
    net->zero_grad();
    loss.backward();
    NoGradGuard g;
    for (auto p : net->parameters()) p -= 0.1 * p.grad();
    for (auto &p : net->parameters()) p.sub_(p.grad(), 0.1);
    auto w = net->weight;
    w -= 0.1 * w.grad();
    net->parameters()[0].mul_(0.9);
    net->parameters()[0].copy_(torch::zeros({3, 4}));
  }
}

static Tensor update(Tensor w, Tensor g) {
  w = w - 0.1 * g;
  return w;
}

void functional_update() {
  auto w = torch::randn({4, 1}, torch::requires_grad());
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = torch::mm(x, w).pow(2).mean();
    loss.backward();
    w = update(w, w.grad()).detach().set_requires_grad(true);
  }
}

void rebind_used() {
  auto w = torch::randn({4, 1}, torch::requires_grad());
  auto x = torch::randn({5, 4});
  for (int k = 0; k < 3; ++k) {
    auto loss = torch::mm(x, w).pow(2).mean();
    loss.backward();
    NoGradGuard g;
    w = w - 0.1 * w.grad();
    w.set_requires_grad(true);
  }
}

static Tensor prepare(Tensor x) {
  x = x.to(torch::kFloat);
  x = x / 255;
  return x;
}

static void show(Tensor x) {
  x = x.detach().cpu();
  std::cout << x.sizes();
}

void parameter_rebound_and_returned() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  auto x = prepare(torch::randn({5, 4}));
  show(x);
  auto loss = net(x).pow(2).mean();
  loss.backward();
  opt.step();
}

void collected() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  auto loss = net(x).pow(2).mean();
  loss.backward();
  std::vector<Tensor> fresh;
  for (auto p : net->parameters()) {
    p = p - 0.1 * p.grad();
    fresh.push_back(p);
  }
  auto fast = torch::mm(x, fresh[0].t()).mean();
  fast.backward();
}

void vector_elements() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  auto loss = net(x).pow(2).mean();
  auto grads = torch::autograd::grad({loss}, net->parameters(), {}, true, true);
  auto fast = net->parameters();
  for (size_t i = 0; i < fast.size(); ++i) fast[i] = fast[i] - 0.1 * grads[i];
  auto outer = torch::linear(x, fast[0], fast[1]).pow(2).mean();
  outer.backward();
}

void data_assign() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  net->weight.data() = torch::zeros({3, 4});
  net->parameters()[1].data() = torch::zeros({3});
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  loss.backward();
  opt.step();
}

// The value that was to be another one is overwritten before anybody reads it.
void zeroed_through_a_view() {
  nn::Linear net(4, 3);
  auto x = torch::randn({5, 4});
  x.index({x > 0}) *= 2;
  auto h = torch::tanh(x);
  auto all = h.view_as(h);
  all.zero_();
  net(h).pow(2).mean().backward();
}

void a_new_value_is_read() {
  nn::Linear net(4, 3);
  auto h = net(torch::randn({5, 4}));
  h.abs().add_(1).pow(2).mean().backward();
}

static void collect(std::vector<Tensor> &all, const nn::Module &m) {
  for (auto &p : m.parameters())
    all.push_back(p);
}

static void train_with(std::vector<Tensor> all, const nn::Module &m) {
  for (auto &p : m.parameters())
    all.push_back(p);
  optim::SGD opt(all, 0.1);
  opt.step();
}

static std::vector<Tensor> with(std::vector<Tensor> all, const nn::Module &m) {
  for (auto &p : m.parameters())
    all.push_back(p);
  return all;
}

void lists_that_are_used() {
  nn::Linear a(4, 4), b(4, 1);
  auto params = a->parameters();
  collect(params, *b);
  train_with(a->parameters(), *b);
  optim::SGD opt(with(a->parameters(), *b), 0.1);
  b(a(torch::randn({5, 4}))).pow(2).mean().backward();
  opt.step();
}

// A conversion to the type that it has gives the tensor itself.
void stored_values() {
  nn::Linear net(4, 3);
  optim::SGD opt(net->parameters(), 0.1);
  const auto stored = torch::randn({3, 4}, torch::kDouble);
  {
    torch::NoGradGuard guard;
    net->weight.to(torch::kFloat).copy_(stored);
    net->bias.copy_(stored.to(torch::kFloat).sum(1));
  }
  net(torch::randn({5, 4})).pow(2).mean().backward();
  opt.step();
}

// The module is of that type already: to() gives the parameter itself.
void copied_into_a_converted_module() {
  nn::Linear net(3, 1);
  net->to(torch::kDouble);
  {
    torch::NoGradGuard guard;
    net->weight.to(torch::kDouble).copy_(torch::randn({1, 3}, torch::kDouble));
  }
  optim::SGD opt(net->parameters(), 0.1);
  net(torch::randn({4, 3}, torch::kDouble)).pow(2).mean().backward();
  opt.step();
}
