// RUN: %check %s
// In-place operations on what backward does not need: every one of these trains as written.
#include <torch/torch.h>

void nobody_saved_it() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 1;
  h.mul_(2);
  h += 3;
  h[0] = 0;
  h.sum().backward();
}

void multiplied_by_a_constant() {
  // d(h * 2)/dh needs the 2, not h.
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w + 1;
  auto loss = (h * 2).sum();
  h.zero_();
  loss.backward();
}

void of_a_copy() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  auto copy = h.clone();
  copy.mul_(2);
  (h + copy).sum().backward();
}

void after_backward() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  h.sum().backward();
  h.detach().zero_();
}

void initialised_without_grad_mode() {
  torch::nn::Linear net(3, 1);
  {
    torch::NoGradGuard guard;
    net->weight.normal_(0, 0.1);
    net->bias.zero_();
  }
  net->forward(torch::ones({2, 3})).sum().backward();
}

void updated_without_grad_mode() {
  auto w = torch::ones({3}, torch::requires_grad());
  for (int step = 0; step < 2; ++step) {
    w.pow(2).sum().backward();
    torch::NoGradGuard guard;
    w -= 0.1 * w.grad();
    w.mutable_grad() = torch::Tensor();
  }
}

void data_is_not_tracked() {
  auto x = torch::ones({3});
  x.mul_(2).add_(1);
  auto w = torch::ones({3}, torch::requires_grad());
  (w * x).sum().backward();
}

// What linear() gets in another order than in memory, it copies: the copy is saved.
void turned_input_of_linear() {
  torch::nn::Linear embed(4, 4), head(4, 2);
  auto h = embed(torch::ones({5, 3, 4})).transpose(0, 1);
  auto out = head(h);
  h.mul_(0.5);
  out.sum().backward();
}

void sequence_of_a_batch_first_net() {
  torch::nn::GRU rnn(torch::nn::GRUOptions(3, 4).batch_first(true));
  torch::nn::Linear head(4, 2);
  auto sequence = std::get<0>(rnn(torch::ones({4, 5, 3})));
  auto out = head(sequence);
  sequence.mul_(0.5);
  out.sum().backward();
}

struct Doubled : torch::autograd::Function<Doubled> {
  static torch::Tensor forward(torch::autograd::AutogradContext *ctx, torch::Tensor x) {
    x.mul_(2);
    ctx->mark_dirty({x});
    return x;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {g[0] * 2};
  }
};

// The function is an in-place operation with a gradient of its own.
void a_function_writes_what_nobody_saved() {
  torch::nn::Linear net(3, 3);
  torch::optim::SGD opt(net->parameters(), 0.1);
  auto h = net(torch::ones({2, 3}));
  Doubled::apply(h);
  opt.zero_grad();
  h.sum().backward();
  opt.step();
}

void a_function_writes_a_view() {
  torch::nn::Linear net(3, 3);
  auto h = net(torch::ones({2, 3}));
  auto row = h.narrow(0, 0, 1);
  Doubled::apply(row);
  h.sum().backward();
}

struct AddInto : torch::autograd::Function<AddInto> {
  static torch::Tensor forward(torch::autograd::AutogradContext *ctx, torch::Tensor a, torch::Tensor b) {
    ctx->mark_dirty({a});
    return a.add_(b);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {g[0], g[0]};
  }
};

void a_function_gives_a_plain_tensor_a_history() {
  auto w = torch::ones(3, torch::requires_grad());
  torch::optim::SGD opt({w}, 0.1);
  auto sum = torch::zeros(3);
  AddInto::apply(sum, w);
  opt.zero_grad();
  sum.sum().backward();
  opt.step();
}

// Run: the gradient is zero, as where the zeroing is recorded. The history that does not know of it
// gets none.
void zeroed_where_no_gradient_flows() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  {
    torch::NoGradGuard guard;
    h.zero_();
  }
  (h * torch::tanh(h)).sum().backward();
}

struct ReverseGradient : torch::autograd::Function<ReverseGradient> {
  static torch::Tensor forward(torch::autograd::AutogradContext *, torch::Tensor x) { return x; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {-g[0]};
  }
};

// The result is a view, which refuses to be written; nobody does.
void a_function_returns_its_input() {
  torch::nn::Linear shared(3, 3), task(3, 1), domain(3, 1);
  std::vector<torch::Tensor> all = shared->parameters();
  for (auto *part : {&task, &domain})
    for (auto &p : (*part)->parameters())
      all.push_back(p);
  torch::optim::SGD opt(all, 0.1);
  for (int i = 0; i < 3; ++i) {
    auto h = torch::relu(shared(torch::ones({2, 3})));
    auto reversed = ReverseGradient::apply(h);
    auto loss = task(h).pow(2).mean() + domain(reversed + 0).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    torch::NoGradGuard guard;
    auto shown = ReverseGradient::apply(shared(torch::ones({2, 3})));
    shown.mul_(2);
  }
}
