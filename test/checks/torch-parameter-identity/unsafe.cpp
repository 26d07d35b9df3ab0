// RUN: %check %s
// What is used is not what is registered, or not what the optimizer steps.
#include <torch/torch.h>

static torch::Tensor input() { return torch::ones({4, 3}); }

template <typename Model, typename Optimizer> void train(Model &model, Optimizer &optimizer) {
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    model.forward(input()).pow(2).sum().backward();
    optimizer.step();
  }
}

//===--- never registered ------------------------------------------------------------------===//

struct Layers : torch::nn::Module {
  torch::nn::Linear first{nullptr}, second{nullptr};
  torch::Tensor scale;
  Layers() {
    first = register_module("first", torch::nn::Linear(3, 3));
    second = torch::nn::Linear(3, 1);
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: member 'second' is used and gets gradients, but is not registered{{.*}} [definite: stale] [torch-parameter-identity]
    // CHECK-FIXES: second = register_module("second", torch::nn::Linear(3, 1));
    scale = torch::ones({3}, torch::requires_grad());
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: member 'scale' {{.*}} [definite: stale] [torch-parameter-identity]
    // CHECK-FIXES: scale = register_parameter("scale", torch::ones({3}, torch::requires_grad()));
  }
  torch::Tensor forward(torch::Tensor x) { return second(torch::tanh(first(x) * scale)); }
};

void layers() {
  Layers model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Stack : torch::nn::Module {
  std::vector<torch::nn::Linear> hidden;
  std::map<std::string, torch::nn::Linear> heads;
  torch::nn::Linear out{nullptr};
  Stack() {
    for (int i = 0; i < 2; ++i)
      hidden.push_back(torch::nn::Linear(3, 3));
    // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: member 'hidden' {{.*}} [definite: stale] [torch-parameter-identity]
      // CHECK-FIXES: hidden.push_back(register_module("hidden" + std::to_string(hidden.size()), torch::nn::Linear(3, 3)));
    heads.emplace("main", torch::nn::Linear(3, 3));
    // CHECK-MESSAGES: :[[@LINE-1]]:11: warning: member 'heads' {{.*}} [definite: stale] [torch-parameter-identity]
    out = register_module("out", torch::nn::Linear(3, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    for (auto &layer : hidden)
      x = torch::tanh(layer(x));
    return out(torch::tanh(heads.at("main")(x)));
  }
};

void stack() {
  Stack model;
  torch::optim::Adam optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct ByValue : torch::nn::Module {
  torch::nn::LinearImpl inside;
  torch::nn::Sequential body;
  torch::nn::Linear out;
  ByValue()
      : inside(3, 3),
        // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: member 'inside' {{.*}} [definite: stale] [torch-parameter-identity]
        body(torch::nn::Linear(3, 3), torch::nn::Tanh()),
        // CHECK-MESSAGES: :[[@LINE-1]]:9: warning: member 'body' {{.*}} [definite: stale] [torch-parameter-identity]
        out(3, 1) {
    register_module("out", out);
  }
  torch::Tensor forward(torch::Tensor x) { return out(body->forward(inside.forward(x))); }
};

void by_value() {
  ByValue model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

//===--- the member of a parameter is given another tensor ---------------------------------===//

struct Scaled : torch::nn::Module {
  torch::Tensor weight;
  torch::nn::Linear fc{nullptr};
  Scaled() {
    weight = register_parameter("weight", torch::ones({3}));
    fc = register_module("fc", torch::nn::Linear(3, 1));
  }
  torch::Tensor forward(torch::Tensor x) { return fc(x * weight); }
};

struct Reset : Scaled {
  Reset() { reset(); }
  void reset() {
    weight = torch::full({3}, 0.5);
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: parameter 'weight' is replaced by a tensor that requires no gradient [definite: undefined] [torch-parameter-identity]
    // CHECK-FIXES: weight.set_data(torch::full({3}, 0.5));
  }
};

void reset() {
  Reset model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Normalised : Scaled {
  Normalised() {
    weight = weight / weight.norm();
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: a parameter is replaced by a value computed from it, whose graph {{.*}} [definite: throws] [torch-parameter-identity]
  }
};

void normalised() {
  Normalised model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Shrunk : Scaled {
  Shrunk() {
    weight = weight * 0.1;
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: 'weight' is replaced by a value computed from it, which no step changes [definite: stale] [torch-parameter-identity]
  }
};

void shrunk() {
  Shrunk model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Clamped : Scaled {
  torch::Tensor forward(torch::Tensor x) {
    {
      torch::NoGradGuard no_grad;
      weight = weight.clamp(-1, 1);
      // CHECK-MESSAGES: :[[@LINE-1]]:14: warning: parameter 'weight' is replaced {{.*}} [definite: undefined] [torch-parameter-identity]
      // CHECK-FIXES: weight.set_data(weight.clamp(-1, 1));
    }
    return fc(x * weight);
  }
};

void clamped() {
  Clamped model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void another_leaf() {
  Scaled model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  model.weight = torch::full({3}, 0.5, torch::requires_grad());
  // CHECK-MESSAGES: :[[@LINE-1]]:16: warning: parameter 'weight' is replaced by another leaf: the optimizer steps the first, the loss uses the second [definite: stale] [torch-parameter-identity]
  train(model, optimizer);
}

void weights_of_a_layer() {
  Scaled model;
  model.fc->weight = torch::full({1, 3}, 0.5);
  // CHECK-MESSAGES: :[[@LINE-1]]:20: warning: parameter {{.*}} [definite: undefined] [torch-parameter-identity]
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void a_new_head() {
  Scaled model;
  model.fc = torch::nn::Linear(3, 2);
  // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: member 'fc' {{.*}} [definite: stale] [torch-parameter-identity]
  // CHECK-FIXES: model.fc = model.replace_module("fc", torch::nn::Linear(3, 2));
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void update_by_hand() {
  auto w = torch::ones({3, 1}, torch::requires_grad());
  for (int i = 0; i < 10; ++i) {
    input().matmul(w).pow(2).sum().backward();
    torch::NoGradGuard no_grad;
    w = w - 0.1 * w.grad();
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: {{.*}} requires no gradient; nothing is left to train [definite: throws] [torch-parameter-identity]
  }
}

void an_element() {
  std::vector<torch::Tensor> params = {torch::ones({3, 3}, torch::requires_grad()),
                                       torch::ones({3, 1}, torch::requires_grad())};
  torch::optim::SGD optimizer(params, 0.1);
  params[0] = torch::full({3, 3}, 0.1, torch::requires_grad());
  // CHECK-MESSAGES: :[[@LINE-1]]:13: warning: {{.*}} another leaf: {{.*}} [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    input().matmul(params[0]).matmul(params[1]).pow(2).sum().backward();
    optimizer.step();
  }
}

void two_updates_by_hand() {
  auto w = torch::ones({3, 1}, torch::requires_grad());
  auto b = torch::zeros({1}, torch::requires_grad());
  for (int i = 0; i < 10; ++i) {
    (input().matmul(w) + b).pow(2).sum().backward();
    torch::NoGradGuard no_grad;
    w = w - 0.1 * w.grad(); // the second gradient is undefined, and 0.1 * it raises
    // CHECK-MESSAGES: :[[@LINE-1]]:7: warning: 'w' is replaced by a tensor that requires no gradient [definite: throws] [torch-parameter-identity]
    b -= 0.1 * b.grad();
    b.mutable_grad().zero_();
  }
}

void a_leaf_that_nobody_keeps() {
  auto w = torch::randn({3, 1}, torch::requires_grad()) * 0.01;
  // CHECK-MESSAGES: :[[@LINE-1]]:57: warning: 'mul' makes 'w' a result of the leaf that requires grad{{.*}} [definite: undefined] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    input().matmul(w).pow(2).sum().backward();
    torch::NoGradGuard no_grad;
    if (w.grad().defined())
      w -= 0.1 * w.grad();
  }
}

//===--- the optimizer holds others --------------------------------------------------------===//

void before_the_head_is_replaced() {
  Scaled model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: the optimizer is built before {{.*}} [definite: stale] [torch-parameter-identity]
  model.fc = model.replace_module("fc", torch::nn::Linear(3, 2));
  train(model, optimizer);
}

void another_model() {
  Scaled model;
  torch::optim::SGD optimizer(Scaled().parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: the optimizer is built over other parameters {{.*}} [definite: stale] [torch-parameter-identity]
  train(model, optimizer);
}

void rebuilt_after_the_optimizer() {
  auto model = std::make_shared<Scaled>();
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: the optimizer is built over other parameters {{.*}} [definite: stale] [torch-parameter-identity]
  model = std::make_shared<Scaled>();
  train(*model, optimizer);
}

void copies() {
  Scaled model;
  std::vector<torch::Tensor> params;
  for (auto &p : model.parameters())
    params.push_back(p.detach().clone().requires_grad_());
  // CHECK-MESSAGES: :[[@LINE-1]]:24: warning: the optimizer steps a copy of parameter 'weight'; {{.*}} [definite: stale] [torch-parameter-identity]
  torch::optim::SGD optimizer(params, 0.1);
  train(model, optimizer);
}

void no_leaf() {
  auto w = torch::randn({3, 1}, torch::requires_grad()) * 0.01;
  // CHECK-MESSAGES: :[[@LINE-1]]:57: warning: 'mul' gives a tensor that is no leaf: the optimizer refuses it [definite: throws] [torch-parameter-identity]
  torch::optim::SGD optimizer({w}, 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    input().matmul(w).pow(2).sum().backward();
    optimizer.step();
  }
}

struct Twice : torch::nn::Module {
  torch::nn::Linear fc{nullptr}, head{nullptr};
  Twice() {
    fc = register_module("fc", torch::nn::Linear(3, 3));
    head = register_module("fc", torch::nn::Linear(3, 1));
    // CHECK-MESSAGES: :[[@LINE-1]]:12: warning: 'fc' is registered already: registering it again raises [definite: throws] [torch-parameter-identity]
  }
  torch::Tensor forward(torch::Tensor x) { return head(fc(x)); }
};

void twice() {
  Twice model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Actor : torch::nn::Module {
  torch::nn::Linear out{nullptr};
  Actor() { out = register_module("out", torch::nn::Linear(3, 2)); }
  torch::Tensor forward(torch::Tensor x) { return torch::log_softmax(out(x), 1); }
};

struct Critic : torch::nn::Module {
  torch::nn::Linear out{nullptr};
  Critic() { out = register_module("out", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return out(x); }
};

void the_critic_is_forgotten() {
  Actor actor;
  Critic critic;
  torch::optim::Adam optimizer(actor.parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:22: warning: a term of the loss trains {{.*}}, which no optimizer holds [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    auto advantage = 1.0 - critic.forward(input());
    auto policy_loss = -(actor.forward(input()) * advantage.detach()).mean();
    auto value_loss = advantage.pow(2).mean();
    optimizer.zero_grad();
    (policy_loss + 0.5 * value_loss).backward();
    optimizer.step();
  }
}

struct TwoHeads : torch::nn::Module {
  torch::nn::Linear body{nullptr}, kind{nullptr}, box{nullptr};
  TwoHeads() {
    body = register_module("body", torch::nn::Linear(3, 3));
    kind = register_module("kind", torch::nn::Linear(3, 2));
    box = register_module("box", torch::nn::Linear(3, 4));
  }
};

void a_head_is_forgotten() {
  TwoHeads net;
  auto params = net.body->parameters();
  for (auto &p : net.kind->parameters())
    params.push_back(p);
  torch::optim::SGD optimizer(params, 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: a term of the loss trains {{.*}}, which no optimizer holds [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    auto f = torch::tanh(net.body(input()));
    (net.kind(f).pow(2).mean() + net.box(f).pow(2).mean()).backward();
    optimizer.step();
  }
}

void both_optimizers_hold_the_critic() {
  torch::nn::Linear generator(3, 3), critic(3, 1);
  torch::optim::SGD g(critic->parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: another optimizer holds the same parameters, {{.*}} [definite: stale] [torch-parameter-identity]
  torch::optim::SGD d(critic->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    auto fake = generator(input());
    d.zero_grad();
    (critic(fake.detach()).mean() - critic(input()).mean()).backward();
    d.step();
    g.zero_grad();
    (-critic(generator(input())).mean()).backward();
    g.step();
  }
}

struct FrozenBody : torch::nn::Module {
  torch::nn::Linear body{nullptr}, head{nullptr};
  FrozenBody() {
    body = register_module("body", torch::nn::Linear(3, 3));
    head = register_module("head", torch::nn::Linear(3, 2));
    freeze(true);
  }
  void freeze(bool on) {
    for (auto &p : body->parameters())
      p.set_requires_grad(!on);
  }
  std::vector<torch::Tensor> trainable() const {
    std::vector<torch::Tensor> result;
    for (auto &p : parameters())
      if (p.requires_grad())
        result.push_back(p);
    return result;
  }
};

void unfrozen_after_the_optimizer() {
  FrozenBody net;
  torch::optim::SGD optimizer(net.trainable(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: the optimizer is built without {{.*}}, which is let require grad later{{.*}}: stale] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    if (i == 5)
      net.freeze(false);
    optimizer.zero_grad();
    net.head(torch::tanh(net.body(input()))).pow(2).mean().backward();
    optimizer.step();
  }
}

struct Heat {
  torch::nn::Linear field{1, 1};
  torch::Tensor diffusivity = torch::tensor(0.5f).requires_grad_(true);
};

void a_coefficient_is_forgotten() {
  Heat heat;
  torch::optim::SGD optimizer(heat.field->parameters(), 0.1);
  // CHECK-MESSAGES: :[[@LINE-1]]:21: warning: no optimizer holds 'diffusivity', {{.*}} [possible: stale] [torch-parameter-identity]
  for (int i = 0; i < 10; ++i) {
    auto x = torch::rand({4, 1}).requires_grad_(true);
    auto u = torch::tanh(heat.field(x));
    auto slope = torch::autograd::grad({u.sum()}, {x}, {}, true, true)[0];
    optimizer.zero_grad();
    (u - heat.diffusivity * slope).pow(2).mean().backward();
    optimizer.step();
  }
}

struct Pose {
  torch::Tensor angle = torch::zeros({1}, torch::requires_grad());
  torch::Tensor shift = torch::zeros({1}, torch::requires_grad());
  torch::Tensor vector() const { return torch::cat({angle, shift}); }
};

// The function is right for what else it is called for.
void the_value_of_a_function() {
  Pose pose;
  std::cout << pose.vector() << std::endl;
  std::vector<torch::Tensor> unknowns = {pose.vector()};
  // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: 'cat' gives a tensor that is no leaf: the optimizer refuses it [definite: throws] [torch-parameter-identity]
  torch::optim::SGD optimizer(unknowns, 0.1);
}

// An optimizer of one's own.
struct Descent {
  std::vector<torch::Tensor> own;
  void step() {
    torch::NoGradGuard guard;
    for (auto &p : own)
      if (p.grad().defined())
        p.sub_(p.grad(), 0.1);
  }
};

void the_gradient_of_an_alias() {
  torch::nn::Linear net(3, 1);
  Descent descent;
  for (const auto &p : net->parameters())
    descent.own.push_back(p.detach());
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: the gradient is looked for at a copy of parameter {{.*}} [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 3; ++i) {
    net(input()).pow(2).mean().backward();
    descent.step();
    net->zero_grad();
  }
}

void the_gradient_of_a_copy() {
  torch::nn::Linear net(3, 1);
  Descent descent;
  for (const auto &p : net->parameters())
    descent.own.push_back(p.clone());
    // CHECK-MESSAGES: :[[@LINE-1]]:{{[0-9]+}}: warning: the gradient is looked for at a copy of parameter {{.*}} [definite: stale] [torch-parameter-identity]
  for (int i = 0; i < 3; ++i) {
    net(input()).pow(2).mean().backward();
    descent.step();
    net->zero_grad();
  }
}
