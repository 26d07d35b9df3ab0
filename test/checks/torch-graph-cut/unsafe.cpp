// RUN: %check %s
// Each program was run; its outcome is what was seen, `wrong` what follows from it.
#include <torch/torch.h>
using namespace torch;
struct NetImpl : nn::Module {
  nn::Linear enc{nullptr}, head{nullptr};
  NetImpl() {
    enc = register_module("enc", nn::Linear(4, 8));
    head = register_module("head", nn::Linear(8, 3));
  }
};
TORCH_MODULE(Net);
static Tensor X() {
  return torch::randn({5, 4});
}

static Tensor Y() {
  return torch::randint(0, 3, {5}, torch::kLong);
}

void detach_encoder() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto x = X(), y = Y();
  for (int i = 0; i < 5; ++i) {
    opt.zero_grad();
    auto h = torch::relu(net->enc(x));
    auto z = net->head(h.detach());
    // CHECK-MESSAGES: :[[@LINE-1]]:26: warning: {{.*}} [definite: undefined] [torch-graph-cut]
    // CHECK-FIXES: auto z = net->head(h);
    auto loss = nn::functional::cross_entropy(z, y);
    loss.backward();
    opt.step();
  }
}

void data_encoder() {
  Net net;
  optim::Adam opt(net->parameters(), 0.1);
  auto x = X(), y = Y();
  auto h = torch::relu(net->enc(x)).data();
  // CHECK-MESSAGES: :[[@LINE-1]]:37: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  // CHECK-FIXES: auto h = torch::relu(net->enc(x));
  auto loss = torch::nll_loss(torch::log_softmax(net->head(h), 1), y);
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void loss_from_item() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  auto total = torch::tensor(loss.item<float>(), torch::requires_grad());
  // CHECK-MESSAGES: :[[@LINE-1]]:35: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  // CHECK-FIXES: auto total = loss;
  total.backward();
  opt.step();
}

void loss_from_item_throws() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  float v = loss.item<float>();
  // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} [definite: throws] [torch-graph-cut]
  auto total = torch::tensor(v);
  total.backward();
  opt.step();
}

void vector_of_items() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  std::vector<float> values;
  auto x = X(), y = Y();
  auto out = net->head(net->enc(x));
  for (int i = 0; i < 5; ++i) {
    auto l = torch::nll_loss(torch::log_softmax(out.slice(0, i, i + 1), 1), y.slice(0, i, i + 1));
    values.push_back(l.item<float>());
    // CHECK-MESSAGES: :[[@LINE-1]]:24: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  }
  auto loss = torch::tensor(values).set_requires_grad(true).mean();
  loss.backward();
  opt.step();
}

void aux_item() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X());
  auto ce = nn::functional::cross_entropy(net->head(h), Y());
  auto aux = h.pow(2).mean();
  auto loss = ce + 0.1 * aux.item<float>();
  // CHECK-MESSAGES: :[[@LINE-1]]:30: warning: {{.*}} [definite: wrong] [torch-graph-cut]
  // CHECK-FIXES: auto loss = ce + 0.1 * aux;
  loss.backward();
  opt.step();
}

void aux_detach() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X());
  auto ce = nn::functional::cross_entropy(net->head(h), Y());
  auto aux = h.pow(2).mean();
  auto loss = ce + 0.1 * aux.detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:30: warning: {{.*}} [possible: wrong] [torch-graph-cut]
  // CHECK-FIXES: auto loss = ce + 0.1 * aux;
  loss.backward();
  opt.step();
}

void l2_item_loop() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  double l2 = 0;
  for (auto &p : net->parameters()) l2 += p.pow(2).sum().item<double>();
  // CHECK-MESSAGES: :[[@LINE-1]]:58: warning: {{.*}} [definite: wrong] [torch-graph-cut]
  auto loss = ce + 1e-3 * l2;
  loss.backward();
  opt.step();
}

void aux_guard() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  Tensor reg;
  {
    NoGradGuard guard;
    // CHECK-MESSAGES: :[[@LINE-1]]:17: warning: {{.*}} [possible: wrong] [torch-graph-cut]
    reg = net->head->weight.abs().sum();
  }
  auto loss = ce + 0.01 * reg;
  loss.backward();
  opt.step();
}

void guard_left_off() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  GradMode::set_enabled(false);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-graph-cut]
  auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  loss.backward();
  opt.step();
}

void guard_encoder() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  Tensor h;
  {
    NoGradGuard g;
    // CHECK-MESSAGES: :[[@LINE-1]]:17: warning: {{.*}} [possible: undefined] [torch-graph-cut]
    h = net->enc(X());
  }
  auto loss = nn::functional::cross_entropy(net->head(h), Y());
  loss.backward();
  opt.step();
}

void argmax_loss() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto pred = net->head(net->enc(X())).argmax(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:40: warning: {{.*}} [definite: throws] [torch-graph-cut]
  auto loss = torch::mse_loss(pred.to(kFloat), Y().to(kFloat));
  loss.backward();
  opt.step();
}

void argmax_loss_hidden() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto pred = net->head(net->enc(X())).argmax(1);
  // CHECK-MESSAGES: :[[@LINE-1]]:40: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  auto loss = torch::mse_loss(pred.to(kFloat), Y().to(kFloat)).requires_grad_(true);
  loss.backward();
  opt.step();
}

void round_zero() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto pred = net->head(net->enc(X())).round();
  // CHECK-MESSAGES: :[[@LINE-1]]:40: warning: {{.*}} [definite: zero] [torch-graph-cut]
  auto loss = (pred - 1).pow(2).mean();
  loss.backward();
  opt.step();
}

void to_long() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto pred = (net->head(net->enc(X())) * 10).to(torch::kLong);
  // CHECK-MESSAGES: :[[@LINE-1]]:47: warning: {{.*}} [definite: throws] [torch-graph-cut]
  auto loss = (pred - 1).to(torch::kFloat).pow(2).mean();
  loss.backward();
  opt.step();
}

void threshold_compare() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto p = torch::sigmoid(net->head(net->enc(X())));
  auto pred = (p > 0.5).to(torch::kFloat);
  // CHECK-MESSAGES: :[[@LINE-1]]:18: warning: {{.*}} [definite: throws] [torch-graph-cut]
  auto loss = torch::binary_cross_entropy(pred, torch::ones({5, 3}));
  loss.backward();
  opt.step();
}

void temperature_item() {
  Net net;
  auto temperature = torch::ones({1}, torch::requires_grad());
  auto ps = net->parameters();
  ps.push_back(temperature);
  optim::SGD opt(ps, 0.1);
  auto logits = net->head(net->enc(X())) / temperature.item<float>();
  // CHECK-MESSAGES: :[[@LINE-1]]:56: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  // CHECK-FIXES: auto logits = net->head(net->enc(X())) / temperature;
  auto loss = nn::functional::cross_entropy(logits, Y());
  loss.backward();
  opt.step();
}

void from_blob_rebuild() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X()).contiguous();
  auto copy = torch::from_blob(h.data_ptr<float>(), {5, 8});
  // CHECK-MESSAGES: :[[@LINE-1]]:34: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  auto loss = nn::functional::cross_entropy(net->head(copy), Y());
  loss.backward();
  opt.step();
}

void accessor_rebuild() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X());
  auto scaled = torch::zeros({5, 8});
  auto in = h.accessor<float, 2>();
  // CHECK-MESSAGES: :[[@LINE-1]]:15: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  auto out = scaled.accessor<float, 2>();
  for (int i = 0; i < 5; ++i)
    for (int j = 0; j < 8; ++j)
      out[i][j] = in[i][j] * 2.f;
  auto loss = nn::functional::cross_entropy(net->head(scaled), Y());
  loss.backward();
  opt.step();
}

void accessor_sum() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  auto w = net->head->weight;
  auto a = w.accessor<float, 2>();
  // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: {{.*}} [definite: wrong] [torch-graph-cut]
  float s = 0;
  for (int i = 0; i < 3; ++i) for (int j = 0; j < 8; ++j) s += a[i][j] * a[i][j];
  auto loss = ce + 0.01 * s;
  loss.backward();
  opt.step();
}

void clone_detach() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X()).clone().detach();
  // CHECK-MESSAGES: :[[@LINE-1]]:34: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  // CHECK-FIXES: auto h = net->enc(X()).clone();
  auto loss = net->head(h).pow(2).mean();
  loss.backward();
  opt.step();
}

void grad_penalty_no_create() {
  nn::Linear critic(4, 1);
  optim::SGD opt(critic->parameters(), 0.1);
  auto x = X().set_requires_grad(true);
  auto out = critic(x);
  auto g = torch::autograd::grad({out.sum()}, {x}, {}, true, false)[0];
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: {{.*}} [definite: wrong] [torch-graph-cut]
  auto gp = (g.norm(2, 1) - 1).pow(2).mean();
  auto loss = out.mean() + 10 * gp;
  loss.backward();
  opt.step();
}

void stack_items() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto out = net->head(net->enc(X()));
  std::vector<Tensor> terms;
  for (int i = 0; i < 3; ++i) terms.push_back(torch::tensor(out.select(1, i).mean().item<float>()));
  // CHECK-MESSAGES: :[[@LINE-1]]:85: warning: {{.*}} [definite: throws] [torch-graph-cut]
  // CHECK-FIXES: for (int i = 0; i < 3; ++i) terms.push_back(out.select(1, i).mean());
  auto loss = torch::stack(terms).sum();
  loss.backward();
  opt.step();
}

struct NoGradientBack : torch::autograd::Function<NoGradientBack> {
  static torch::Tensor forward(torch::autograd::AutogradContext *, torch::Tensor x) { return x * 2; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list) {
    return {torch::Tensor()};
  }
};

void a_function_that_gives_a_trained_leaf_nothing() {
  auto w = torch::ones(3, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  NoGradientBack::apply(w).sum().backward();
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}}: undefined] [torch-graph-cut]
  optimizer.step();
}

struct WithMask : torch::autograd::Function<WithMask> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, torch::Tensor x) {
    auto sign = x.sign();
    ctx->mark_non_differentiable({sign});
    return {x * sign, sign};
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list g) {
    return {g[0]};
  }
};

void the_output_that_is_not_differentiable() {
  auto w = torch::ones(3, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  auto loss = WithMask::apply(w)[1].sum();
  loss.backward();
  // CHECK-MESSAGES: :{{[0-9]+}}:{{[0-9]+}}: warning: {{.*}}throws] [torch-graph-cut]
  optimizer.step();
}

// Behind the first cut nobody sees the second defect, which is there all the same.
double evaluated(Net &net) {
  torch::GradMode::set_enabled(false);
  // CHECK-MESSAGES: :[[@LINE-1]]:3: warning: {{.*}} [definite: throws] [torch-graph-cut]
  return net->head(net->enc(X())).mean().item<double>();
}

void grad_mode_stays_off_behind_a_number() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto error = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
    auto loss = torch::tensor(error.item<float>(), torch::requires_grad());
    // CHECK-MESSAGES: :[[@LINE-1]]:37: warning: {{.*}} [definite: undefined] [torch-graph-cut]
    opt.zero_grad();
    loss.backward();
    opt.step();
    evaluated(net);
  }
}

// A guard that outlives the phase it was made for.
struct Phases {
  std::unique_ptr<torch::NoGradGuard> guard;
  void validate() {
    guard = std::make_unique<torch::NoGradGuard>();
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: a guard {{.*}} [definite: throws] [torch-graph-cut]
  }
};

void guard_kept_in_a_member() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  Phases phases;
  for (int i = 0; i < 3; ++i) {
    auto loss = net->head(net->enc(X())).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    phases.validate();
  }
}

void penalty_summed_from_data() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto penalty = torch::zeros({1});
  for (const auto &p : net->named_parameters()) {
    auto w = p.value().data();
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: data() leaves a term of the loss {{.*}} [possible: wrong] [torch-graph-cut]
    penalty += w.pow(2).sum();
  }
  auto loss = net->head(net->enc(X())).pow(2).mean() + 0.1 * penalty.squeeze();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void copied_to_a_vector_and_back() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X()).contiguous();
  std::vector<float> values(h.numel());
  std::memcpy(values.data(), h.data_ptr<float>(), values.size() * sizeof(float));
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: {{.*}} [definite: undefined] [torch-graph-cut]
  auto z = torch::tensor(values).view({5, 8}).requires_grad_(true);
  auto loss = net->head(z).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}
