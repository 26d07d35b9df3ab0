// RUN: %check %s
// What looks like a cut and trains as meant.
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

void straight_through() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto h = net->enc(X());
  auto q = h + (h.round() - h).detach();
  auto loss = net->head(q).pow(2).mean();
  loss.backward();
  opt.step();
}

void scalar_ste() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  auto aux = net->head->weight.pow(2).sum();
  auto loss = ce + (aux - aux.detach());
  loss.backward();
  opt.step();
}

void normalised() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  auto aux = net->head->weight.pow(2).sum();
  auto loss = ce / ce.item<float>() + aux / aux.detach();
  loss.backward();
  opt.step();
}

void logging() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  double running = 0;
  auto total = torch::zeros({});
  for (int i = 0; i < 3; ++i) {
    auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
    opt.zero_grad();
    loss.backward();
    opt.step();
    running += loss.item<double>();
    total += loss.detach();
  }
}

void byol() {
  Net a, b;
  optim::SGD opt(a->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto x = X();
    auto p = a->head(a->enc(x));
    Tensor t;
    {
      NoGradGuard g;
      t = b->head(b->enc(x));
    }
    auto loss = torch::mse_loss(p, t.detach());
    opt.zero_grad();
    loss.backward();
    opt.step();
    NoGradGuard g;
    auto pa = a->parameters(), pb = b->parameters();
    for (size_t k = 0; k < pa.size(); ++k) pb[k].mul_(0.9).add_(pa[k], 0.1);
  }
}

void simsiam() {
  Net a;
  optim::SGD opt(a->parameters(), 0.1);
  auto z1 = a->enc(X()), z2 = a->enc(X());
  auto p1 = a->head(z1), p2 = a->head(z2);
  auto loss = -(p1 * a->head(z2).detach()).mean() - (p2 * a->head(z1).detach()).mean();
  loss.backward();
  opt.step();
}

void gan() {
  nn::Linear G(2, 4), D(4, 1);
  optim::Adam og(G->parameters(), 0.1), od(D->parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto fake = G(torch::randn({5, 2}));
    auto dl = D(fake.detach()).mean() - D(X()).mean();
    od.zero_grad();
    dl.backward();
    od.step();
    if (i % 2 == 0) {
      auto gl = -D(G(torch::randn({5, 2}))).mean();
      og.zero_grad();
      gl.backward();
      og.step();
    }
  }
}

void gan_unknown_period() {
  nn::Linear G(2, 4), D(4, 1);
  optim::Adam og(G->parameters(), 0.1), od(D->parameters(), 0.1);
  int n = std::atoi("3");
  for (int i = 0; i < 100; ++i) {
    auto fake = G(torch::randn({5, 2}));
    auto dl = D(fake.detach()).mean() - D(X()).mean();
    od.zero_grad();
    dl.backward();
    od.step();
    if (i % n == 0) {
      auto gl = -D(G(torch::randn({5, 2}))).mean();
      og.zero_grad();
      gl.backward();
      og.step();
    }
  }
}

void tbptt() {
  nn::GRUCell cell(4, 8);
  nn::Linear out(8, 1);
  auto ps = cell->parameters();
  for (auto &p : out->parameters()) ps.push_back(p);
  optim::SGD opt(ps, 0.1);
  auto h = torch::zeros({5, 8});
  for (int i = 0; i < 6; ++i) {
    h = cell(X(), h.detach());
    auto loss = out(h).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

void advantage() {
  Net actor;
  nn::Linear critic(4, 1);
  auto ps = actor->parameters();
  for (auto &p : critic->parameters()) ps.push_back(p);
  optim::SGD opt(ps, 0.1);
  auto x = X();
  auto r = torch::randn({5, 1});
  auto v = critic(x);
  auto adv = (r - v).detach();
  auto logp = torch::log_softmax(actor->head(actor->enc(x)), 1).select(1, 0).unsqueeze(1);
  auto loss = -(logp * adv).mean() + 0.5 * (r - v).pow(2).mean();
  loss.backward();
  opt.step();
}

void ppo_kl() {
  Net actor;
  optim::SGD opt(actor->parameters(), 0.1);
  auto x = X();
  Tensor old;
  {
    NoGradGuard g;
    old = torch::log_softmax(actor->head(actor->enc(x)), 1).select(1, 0);
  }
  for (int i = 0; i < 3; ++i) {
    auto logp = torch::log_softmax(actor->head(actor->enc(x)), 1).select(1, 0);
    auto ratio = (logp - old).exp();
    auto loss = -(ratio * torch::randn({5})).mean() + 0.1 * (old - logp).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

void vq() {
  nn::Linear enc(4, 8), dec(8, 4);
  auto book = torch::randn({10, 8}, torch::requires_grad());
  auto ps = enc->parameters();
  for (auto &p : dec->parameters()) ps.push_back(p);
  ps.push_back(book);
  optim::Adam opt(ps, 0.1);
  auto x = X();
  auto z = enc(x);
  auto idx = torch::cdist(z, book).argmin(1);
  auto q = book.index_select(0, idx);
  auto st = z + (q - z).detach();
  auto loss = torch::mse_loss(dec(st), x) + torch::mse_loss(q, z.detach()) + 0.25 * torch::mse_loss(z, q.detach());
  loss.backward();
  opt.step();
}

void frozen_not_optimised() {
  Net net;
  optim::SGD opt(net->head->parameters(), 0.1);
  Tensor h;
  {
    NoGradGuard g;
    h = net->enc(X());
  }
  auto loss = nn::functional::cross_entropy(net->head(h), Y());
  loss.backward();
  opt.step();
}

void frozen_flag() {
  Net net;
  for (auto &p : net->enc->parameters()) p.set_requires_grad(false);
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = nn::functional::cross_entropy(net->head(net->enc(X()).detach()), Y());
  loss.backward();
  opt.step();
}

void evaluation() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
  loss.backward();
  opt.step();
  NoGradGuard g;
  auto out = net->head(net->enc(X()));
  auto acc = out.argmax(1).eq(Y()).sum().item<int64_t>();
  auto eval = nn::functional::cross_entropy(out, Y()).item<float>();
  std::vector<float> h{eval, (float)acc};
  auto t = torch::tensor(h);
}

void gradient_penalty() {
  nn::Linear critic(4, 1);
  optim::SGD opt(critic->parameters(), 0.1);
  auto x = X().set_requires_grad(true);
  auto out = critic(x);
  auto g = torch::autograd::grad({out.sum()}, {x}, {}, true, true)[0];
  auto gp = (g.norm(2, 1) - 1).pow(2).mean();
  auto loss = out.mean() + 10 * gp;
  loss.backward();
  opt.step();
}

void dqn() {
  Net q, target;
  optim::Adam opt(q->parameters(), 0.1);
  auto x = X();
  auto a = q->head(q->enc(x)).argmax(1);
  Tensor y;
  {
    NoGradGuard g;
    y = 1 + 0.9 * std::get<0>(target->head(target->enc(x)).max(1));
  }
  auto v = q->head(q->enc(x)).gather(1, a.unsqueeze(1)).squeeze(1);
  auto loss = torch::smooth_l1_loss(v, y);
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void focal() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  auto logp = torch::log_softmax(net->head(net->enc(X())), 1).select(1, 0);
  auto w = (1 - logp.exp()).pow(2).detach();
  auto loss = -(w * logp).mean();
  loss.backward();
  opt.step();
}

void lagrange() {
  Net net;
  auto lam = torch::zeros({}, torch::requires_grad());
  optim::SGD opt(net->parameters(), 0.1), ol({lam}, 0.1);
  auto out = net->head(net->enc(X()));
  auto cost = out.pow(2).mean();
  auto loss = -out.mean() + lam.item<float>() * cost;
  opt.zero_grad();
  loss.backward();
  opt.step();
  auto ll = -lam * (cost.item<float>() - 0.5);
  ol.zero_grad();
  ll.backward();
  ol.step();
}

void smoothed_loss() {
  Net net;
  optim::SGD opt(net->parameters(), 0.1);
  double ema = 0;
  for (int i = 0; i < 4; ++i) {
    auto ce = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
    ema = 0.9 * ema + 0.1 * ce.item<double>();
    auto loss = ce - ema;
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}

struct NoGradientBack : torch::autograd::Function<NoGradientBack> {
  static torch::Tensor forward(torch::autograd::AutogradContext *, torch::Tensor x) { return x * 2; }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *,
                                                 torch::autograd::variable_list) {
    return {torch::Tensor()};
  }
};

// Nobody steps x: that it gets no gradient is what the function says.
void a_function_without_a_gradient() {
  auto x = torch::ones(3, torch::requires_grad());
  NoGradientBack::apply(x).sum().backward();
}

struct WithMask : torch::autograd::Function<WithMask> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext *ctx, torch::Tensor x) {
    auto sign = x.sign();
    ctx->mark_non_differentiable({sign});
    ctx->save_for_backward({sign});
    return {x * sign, sign};
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                 torch::autograd::variable_list g) {
    torch::Tensor dx;
    if (ctx->needs_input_grad(0))
      dx = g[0] * ctx->get_saved_variables()[0];
    return {dx};
  }
};

// needs_input_grad() is true of what requires grad; the other output is no way to it, and is not taken.
void the_output_that_is_differentiable() {
  auto w = torch::ones(3, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  auto both = WithMask::apply(w);
  optimizer.zero_grad();
  (both[0] * both[1]).sum().backward();
  optimizer.step();
}

// Every optimizer switches grad mode on for its closure.
void closure_under_a_guard() {
  Net net;
  optim::LBFGS opt(net->parameters());
  auto closure = [&] {
    opt.zero_grad();
    auto loss = nn::functional::cross_entropy(net->head(net->enc(X())), Y());
    loss.backward();
    return loss;
  };
  NoGradGuard guard;
  opt.step(closure);
}

struct PhasesThatEnd {
  std::unique_ptr<torch::NoGradGuard> guard;
  void validate() { guard = std::make_unique<torch::NoGradGuard>(); }
  void train() { guard.reset(); }
};

void guard_reset_by_the_next_phase() {
  torch::nn::Linear net(4, 3);
  torch::optim::SGD opt(net->parameters(), 0.1);
  PhasesThatEnd phases;
  for (int i = 0; i < 3; ++i) {
    phases.train();
    auto loss = net(torch::randn({5, 4})).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
    phases.validate();
  }
}

void guard_moved_to_a_shorter_life() {
  torch::nn::Linear net(4, 3);
  torch::optim::SGD opt(net->parameters(), 0.1);
  auto guard = std::make_unique<torch::NoGradGuard>();
  {
    auto inner = std::move(guard);
    net(torch::randn({5, 4}));
  }
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
}

void penalty_summed_for_the_log() {
  torch::nn::Linear net(4, 3);
  torch::optim::SGD opt(net->parameters(), 0.1);
  auto penalty = torch::zeros({1});
  for (const auto &p : net->named_parameters())
    penalty += p.value().data().pow(2).sum();
  auto loss = net(torch::randn({5, 4})).pow(2).mean();
  opt.zero_grad();
  loss.backward();
  opt.step();
  std::cout << penalty + loss.detach() << std::endl;
}

// First-order MAML: the program brings the slow weights their gradients itself.
void gradients_of_detached_copies() {
  std::vector<Tensor> slow = {torch::randn({4, 3}), torch::zeros({3})};
  for (auto &p : slow)
    p.requires_grad_(true);
  optim::Adam meta(slow, 1e-3);
  for (int i = 0; i < 3; ++i) {
    meta.zero_grad();
    std::vector<Tensor> fast;
    for (const auto &p : slow)
      fast.push_back(p.detach().clone().requires_grad_(true));
    (torch::randn({5, 4}).mm(fast[0]) + fast[1]).pow(2).mean().backward();
    for (size_t k = 0; k < slow.size(); ++k) {
      auto g = fast[k].grad() / 2;
      if (!slow[k].grad().defined())
        slow[k].mutable_grad() = g.clone();
      else
        slow[k].mutable_grad().add_(g);
    }
    meta.step();
  }
}

// Weight normalisation: the layer's own weight is stepped and has no gradient; what it is computed from has.
struct NormalisedWeight : torch::nn::Module {
  torch::nn::Linear layer{nullptr};
  torch::Tensor direction, gain;
  NormalisedWeight() {
    layer = register_module("layer", torch::nn::Linear(3, 2));
    direction = register_parameter("direction", layer->weight.detach().clone());
    gain = register_parameter("gain", layer->weight.norm(2, 1, true).detach().clone());
  }
  torch::Tensor forward(torch::Tensor x) {
    layer->weight = gain * direction / direction.norm(2, 1, true);
    return layer->forward(x);
  }
};

void normalises_its_weight() {
  NormalisedWeight net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto loss = net.forward(torch::ones({4, 3})).pow(2).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}
