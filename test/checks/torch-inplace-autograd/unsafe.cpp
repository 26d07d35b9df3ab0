// RUN: %check %s
#include <torch/torch.h>

void saved_result() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  h.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

void compound_assignment() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  h += 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h + 1;
  h.sum().backward();
}

void compound_assignment_of_a_sum() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto b = torch::ones({3});
  auto h = torch::sigmoid(w);
  h *= b + 1;
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h * (b + 1);
  h.sum().backward();
}

void saved_argument() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  auto loss = h.pow(2).sum();
  h.zero_();
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { h = h.clone(); h.zero_(); }
  loss.backward();
}

void index_assignment() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  h[0] = 0;
  // CHECK-MESSAGES: :[[@LINE-1]]:8: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

void index_put() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::tanh(w);
  h.index_put_({0}, 0);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { h = h.clone(); h.index_put_({0}, 0); }
  h.sum().backward();
}

void masked_fill() {
  auto w = torch::ones({2, 3}, torch::requires_grad());
  auto h = torch::softmax(w, 1);
  h.masked_fill_(h < 0.5, 0);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: h = h.masked_fill(h < 0.5, 0);
  h.sum().backward();
}

void leaf() {
  auto w = torch::ones({3}, torch::requires_grad());
  w.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: { torch::NoGradGuard no_grad; w.mul_(2); }
  w.sum().backward();
}

void out_form() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = w * 2;
  torch::mul_out(h, w, w);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

void element_of_unbind() {
  auto w = torch::ones({2, 3}, torch::requires_grad());
  auto rows = (w * 2).unbind(0);
  rows[0].mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: rows[0] = rows[0].mul(2);
  rows[0].sum().backward();
}

torch::Tensor scale(torch::Tensor t) {
  t.mul_(2);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  // CHECK-FIXES: t = t.mul(2);
  return t;
}

void in_a_helper() {
  auto w = torch::ones({3}, torch::requires_grad());
  scale(torch::sqrt(w)).sum().backward();
}

void in_one_branch(bool doubled) {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::relu(w * 2);
  if (doubled)
    h.mul_(2);
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} [possible: throws] [torch-inplace-autograd]
    // CHECK-FIXES: h = h.mul(2);
  h.sum().backward();
}

#define HALVE(t) t.div_(2)
void in_a_macro() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::tanh(w);
  HALVE(h);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
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

struct DirtyAndKept : torch::autograd::Function<DirtyAndKept> {
  static torch::Tensor forward(torch::autograd::AutogradContext *ctx, torch::Tensor x) {
    x.mul_(2);
    ctx->mark_dirty({x});
    return x + 1;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {g[0] * 2};
  }
};

void a_function_marks_a_leaf_dirty() {
  auto x = torch::ones(3, torch::requires_grad());
  Doubled::apply(x).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}}leaf{{.*}}[definite: throws] [torch-inplace-autograd]
}

void a_function_marks_a_view_of_a_leaf_dirty() {
  auto x = torch::ones(3, torch::requires_grad());
  Doubled::apply(x.view(3)).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}}a view of {{.*}}leaf{{.*}}[definite: throws] [torch-inplace-autograd]
}

void a_function_keeps_what_it_marked_dirty() {
  auto x = torch::ones(3, torch::requires_grad());
  DirtyAndKept::apply(x * 3).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: 'DirtyAndKept' marks a tensor dirty that it does not return [definite: throws] [torch-inplace-autograd]
}

struct Tripled : torch::autograd::Function<Tripled> {
  static torch::Tensor forward(torch::autograd::AutogradContext *ctx, torch::Tensor x) {
    x.mul_(3);
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}}'exp' saved for backward [definite: throws] [torch-inplace-autograd]
    ctx->mark_dirty({x});
    return x;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {g[0] * 3};
  }
};

void a_function_writes_what_exp_saved() {
  auto x = torch::ones(3, torch::requires_grad());
  auto h = x.exp();
  Tripled::apply(h).sum().backward();
}

// The weight is given memory, perhaps, that somebody else writes.
void memory_that_is_held(bool given) {
  auto w = torch::ones({3}, torch::requires_grad());
  auto memory = torch::full({3}, 2.0);
  if (given)
    w.set_data(memory);
  auto y = w.pow(2);
  memory.mul_(3);
  // CHECK-MESSAGES: :[[@LINE-1]]:10: warning: {{.*}} [definite: wrong] [torch-inplace-autograd]
  y.sum().backward();
}

struct ReverseGradient : torch::autograd::Function<ReverseGradient> {
  static torch::Tensor forward(torch::autograd::AutogradContext *, torch::Tensor x) { return x; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {-g[0]};
  }
};

void a_function_returns_its_input() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = ReverseGradient::apply(w * 2);
  h.add_(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: in-place 'add_' on an input that 'ReverseGradient' returned, a view of itself [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

void and_the_input_is_written() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto x = w * 2;
  auto h = ReverseGradient::apply(x);
  x.add_(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
  h.sum().backward();
}

// Run: the corrected program's history is a detached one; without detach() its graph is walked again in the next step.
struct Centres {
  std::vector<torch::Tensor> history;
  void remember(torch::Tensor x) {
    history.push_back(x.detach_().mean(0));
    // CHECK-MESSAGES: :[[@LINE-1]]:25: warning: {{.*}} [definite: undefined] [torch-inplace-autograd]
    // CHECK-FIXES: history.push_back(x.detach().mean(0));
  }
};

void remembered_for_good() {
  torch::nn::Linear encoder(3, 3), head(3, 1);
  Centres centres;
  std::vector<torch::Tensor> parameters = encoder->parameters();
  for (const auto &p : head->parameters())
    parameters.push_back(p);
  torch::optim::SGD optimizer(parameters, 0.1);
  for (int step = 0; step < 3; ++step) {
    auto x = encoder(torch::randn({4, 3}));
    centres.remember(x);
    auto loss = head(x - torch::stack(centres.history).mean(0)).pow(2).mean();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
}
