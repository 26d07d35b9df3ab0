// RUN: %check %s
// What gets gradients and is not stepped, or is stepped and gets none, by intent.
#include <torch/torch.h>
#include <iostream>

static torch::Tensor input() { return torch::ones({4, 3}); }

template <typename Model, typename Optimizer> void train(Model &model, Optimizer &optimizer) {
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    model.forward(input()).pow(2).sum().backward();
    optimizer.step();
  }
}

struct Net : torch::nn::Module {
  torch::nn::Linear body{nullptr}, head{nullptr}, spare{nullptr};
  torch::Tensor scale;
  Net() {
    body = register_module("body", torch::nn::Linear(3, 3));
    head = register_module("head", torch::nn::Linear(3, 1));
    spare = register_module("spare", torch::nn::Linear(3, 1)); // never used
    scale = register_parameter("scale", torch::ones({3}) * 0.5); // a leaf: nothing required grad
  }
  torch::Tensor forward(torch::Tensor x) { return head(torch::tanh(body(x) * scale)); }
};

void all_registered() {
  Net model;
  model.to(torch::kDouble); // keeps the tensors and changes their data
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  model.to(torch::kFloat);
  train(model, optimizer);
}

struct Initialised : torch::nn::Module {
  torch::nn::Linear body{3, 3}, head{3, 1};
  std::vector<torch::nn::Linear> more;
  Initialised() {
    register_module("body", body);
    register_module("head", head);
    for (int i = 0; i < 2; ++i) {
      more.push_back(torch::nn::Linear(3, 3));
      register_module("more" + std::to_string(i), more.back());
    }
  }
  torch::Tensor forward(torch::Tensor x) {
    for (auto &layer : more)
      x = torch::tanh(layer(x));
    return head(torch::tanh(body(x)));
  }
};

void registered_afterwards() {
  Initialised model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void head_only() { // the body gets gradients that nobody needs
  Net model;
  torch::optim::SGD optimizer(model.head->parameters(), 0.1);
  train(model, optimizer);
}

void frozen_body() {
  Net model;
  for (auto &p : model.body->parameters())
    p.set_requires_grad(false);
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void two_optimizers() {
  torch::nn::Linear generator(3, 3), critic(3, 1);
  torch::optim::Adam of_generator(generator->parameters(), 0.1);
  torch::optim::Adam of_critic(critic->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    auto fake = generator(input());
    of_critic.zero_grad();
    critic(fake.detach()).sum().backward();
    of_critic.step();
    of_generator.zero_grad();
    critic(fake).sum().neg().backward(); // the critic gets gradients that are not stepped
    of_generator.step();
  }
}

void target_network() {
  Net online, target;
  torch::optim::Adam optimizer(online.parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    auto wanted = target.forward(input()).detach();
    optimizer.zero_grad();
    (online.forward(input()) - wanted).pow(2).sum().backward();
    optimizer.step();
    torch::NoGradGuard no_grad;
    auto from = online.parameters(), to = target.parameters();
    for (size_t k = 0; k < from.size(); ++k)
      to[k].mul_(0.9).add_(from[k], 0.1);
  }
}

void tied_weights() {
  torch::nn::Linear encode(3, 3), decode(3, 3);
  decode->weight = encode->weight; // the registered one of decode is left without a gradient
  auto params = encode->parameters();
  for (auto &p : decode->parameters())
    params.push_back(p);
  torch::optim::SGD optimizer(params, 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    decode(torch::tanh(encode(input()))).pow(2).sum().backward();
    optimizer.step();
  }
}

struct WeightNorm : torch::nn::Module {
  torch::Tensor weight, direction, length;
  WeightNorm() {
    weight = register_parameter("unused", torch::ones({3, 3}));
    direction = register_parameter("direction", torch::ones({3, 3}));
    length = register_parameter("length", torch::ones({3, 1}));
  }
  torch::Tensor forward(torch::Tensor x) {
    weight = direction / direction.norm() * length; // computed anew in every pass
    return x.matmul(weight);
  }
};

void weight_norm() {
  WeightNorm model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct RandomFeatures : torch::nn::Module {
  torch::Tensor basis = torch::randn({3, 3}); // fixed by intent: requires no gradient
  torch::nn::Linear out{nullptr};
  RandomFeatures() { out = register_module("out", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return out(torch::cos(x.matmul(basis))); }
};

void random_features() {
  RandomFeatures model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct LowRank : torch::nn::Module {
  torch::nn::Linear base{nullptr};
  torch::Tensor down, up;
  LowRank() {
    base = register_module("base", torch::nn::Linear(3, 3));
    for (auto &p : base->parameters())
      p.set_requires_grad(false);
    down = register_parameter("down", torch::randn({3, 1}));
    up = register_parameter("up", torch::zeros({1, 3}));
  }
  torch::Tensor forward(torch::Tensor x) { return base(x) + x.matmul(down).matmul(up); }
};

void low_rank() {
  LowRank model;
  torch::optim::Adam optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

struct Distilled : torch::nn::Module {
  torch::nn::Linear student{nullptr};
  torch::nn::Linear teacher{nullptr}; // not registered, so that it is not trained
  Distilled() {
    student = register_module("student", torch::nn::Linear(3, 1));
    teacher = torch::nn::Linear(3, 1);
    teacher->eval();
  }
  torch::Tensor forward(torch::Tensor x) { return student(x) - teacher(x); }
};

void distilled() {
  Distilled model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void an_image_is_optimised() {
  Net model;
  auto image = torch::zeros({4, 3}, torch::requires_grad());
  torch::optim::Adam optimizer(std::vector<torch::Tensor>{image}, 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    model.forward(image).sum().backward();
    optimizer.step();
  }
}

void replaced_in_time() {
  Net model;
  model.head = model.replace_module("head", torch::nn::Linear(3, 2));
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  train(model, optimizer);
}

void grown_with_a_group() {
  torch::nn::Sequential model(torch::nn::Linear(3, 3));
  torch::optim::SGD optimizer(model->parameters(), 0.1);
  torch::nn::Linear late(3, 1);
  model->push_back(late);
  optimizer.add_param_group(torch::optim::OptimizerParamGroup(late->parameters()));
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    model->forward(input()).pow(2).sum().backward();
    optimizer.step();
  }
}

void stepped_by_hand() {
  auto w = torch::ones({3, 1}, torch::requires_grad());
  auto b = torch::zeros({1}, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    (input().matmul(w) + b).pow(2).sum().backward();
    optimizer.step();
    torch::NoGradGuard no_grad;
    b -= 0.1 * b.grad();
    b.mutable_grad().zero_();
  }
}

void a_view_of_a_parameter() { // shares the storage that is stepped
  auto w = torch::ones({3}, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  w = w.view({3, 1});
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    input().matmul(w).pow(2).sum().backward();
    optimizer.step();
  }
}

void by_set_data() {
  Net model;
  torch::optim::SGD optimizer(model.parameters(), 0.1);
  model.head->weight.set_data(torch::full({1, 3}, 0.5));
  train(model, optimizer);
}

void handed_to_somebody(torch::optim::Optimizer &optimizer, Net &model) {
  torch::nn::Linear extra(1, 1);
  optimizer.zero_grad();
  extra(model.forward(input())).sum().backward();
  optimizer.step();
}

void a_perceptual_loss() { // the features get gradients on the way to the net
  Net net;
  torch::nn::Linear features(1, 8);
  torch::optim::Adam optimizer(net.parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    auto out = net.forward(input());
    (out.pow(2).mean() + features(out).pow(2).mean()).backward();
    optimizer.step();
  }
}

void a_weight_penalty_on_everything() {
  Net net;
  torch::optim::Adam optimizer(net.head->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    auto loss = net.forward(input()).pow(2).mean();
    for (auto &p : net.parameters())
      loss = loss + 1e-4 * p.pow(2).sum();
    loss.backward();
    optimizer.step();
  }
}

struct Adapted : torch::nn::Module {
  torch::nn::Linear first{nullptr}, adapter{nullptr}, last{nullptr};
  Adapted() {
    first = register_module("first", torch::nn::Linear(3, 3));
    adapter = register_module("adapter", torch::nn::Linear(3, 3));
    last = register_module("last", torch::nn::Linear(3, 1));
  }
  torch::Tensor forward(torch::Tensor x) {
    auto h = torch::tanh(first(x));
    return last(h + adapter(h));
  }
};

void an_adapter_only() {
  Adapted net;
  torch::optim::Adam optimizer(net.adapter->parameters(), 0.1);
  train(net, optimizer);
}

void a_leaf_made_after_scaling() {
  auto w = (torch::randn({3, 1}) * 0.01).requires_grad_();
  torch::optim::SGD optimizer({w}, 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    input().matmul(w.to(torch::kFloat)).pow(2).sum().backward();
    optimizer.step();
  }
}

struct Listed : torch::nn::Module {
  torch::nn::ParameterList list;
  Listed() {
    list->append(torch::ones({3, 1}, torch::requires_grad()));
    list->append(torch::zeros({1}, torch::requires_grad()));
    register_module("list", list);
  }
  torch::Tensor forward(torch::Tensor x) { return x.matmul(list[0]) + list[1]; }
};

void listed() {
  Listed net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  train(net, optimizer);
}

struct ReplicaImpl : torch::nn::Cloneable<ReplicaImpl> {
  torch::nn::Linear fc{nullptr};
  ReplicaImpl() { reset(); }
  void reset() override { fc = register_module("fc", torch::nn::Linear(3, 1)); }
  torch::Tensor forward(torch::Tensor x) { return fc(x); }
};
TORCH_MODULE(Replica);

void replicas_whose_gradients_are_summed() {
  Replica master;
  torch::optim::SGD optimizer(master->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    for (auto &p : master->parameters())
      p.mutable_grad() = torch::zeros_like(p);
    auto replica = std::dynamic_pointer_cast<ReplicaImpl>(master->clone());
    replica->forward(input()).pow(2).sum().backward();
    auto from = replica->parameters(), to = master->parameters();
    for (size_t k = 0; k < to.size(); ++k)
      to[k].mutable_grad() += from[k].grad();
    optimizer.step();
  }
}

// Two optimizers in turn over all that is trained.
void one_after_the_other() {
  torch::nn::Linear net(3, 1);
  torch::optim::Adam first(net->parameters(), 0.1);
  torch::optim::SGD second(net->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    net->zero_grad();
    net(torch::ones({2, 3})).pow(2).mean().backward();
    if (i < 5)
      first.step();
    else
      second.step();
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
};

void unfrozen_into_a_group_of_its_own() {
  FrozenBody net;
  torch::optim::SGD optimizer(net.head->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    if (i == 5) {
      net.freeze(false);
      optimizer.add_param_group(torch::optim::OptimizerParamGroup(net.body->parameters()));
    }
    optimizer.zero_grad();
    net.head(torch::tanh(net.body(torch::randn({4, 3})))).pow(2).mean().backward();
    optimizer.step();
  }
}

void unfrozen_for_those_who_come_after() {
  FrozenBody net;
  torch::optim::SGD optimizer(net.head->parameters(), 0.1);
  for (int i = 0; i < 10; ++i) {
    optimizer.zero_grad();
    net.head(torch::tanh(net.body(torch::randn({4, 3})))).pow(2).mean().backward();
    optimizer.step();
  }
  net.freeze(false);
}

// Numbers that require grad for a derivative, or whose gradient the program reads itself.
void numbers_that_are_no_parameters() {
  torch::nn::Linear field(1, 1);
  torch::optim::SGD optimizer(field->parameters(), 0.1);
  auto start = torch::zeros({1, 1}).requires_grad_(true);
  auto sensitivity = torch::ones({1}).requires_grad_(true);
  for (int i = 0; i < 10; ++i) {
    auto u = field(start);
    auto slope = torch::autograd::grad({u.sum()}, {start}, {}, true, true)[0];
    optimizer.zero_grad();
    ((u * sensitivity - 1).pow(2).sum() + slope.pow(2).sum()).backward();
    optimizer.step();
    std::cout << sensitivity.grad().item<float>() << std::endl;
  }
}

// A master copy of the weights, which is given the gradients of what it was copied from.
void master_copies() {
  torch::nn::Linear net(3, 1);
  std::vector<torch::Tensor> master, model = net->parameters();
  for (const auto &p : model)
    master.push_back(p.detach().clone().to(torch::kDouble));
  for (int i = 0; i < 3; ++i) {
    net(input()).pow(2).mean().backward();
    torch::NoGradGuard guard;
    for (size_t k = 0; k < model.size(); ++k) {
      if (master[k].grad().defined())
        master[k].mutable_grad().zero_();
      master[k].mutable_grad() = model[k].grad().to(torch::kDouble);
      master[k].sub_(master[k].grad(), 0.1);
      model[k].copy_(master[k]);
    }
    net->zero_grad();
  }
}

// Handles of every kind are looked through, an optimizer steps the parameters.
void aliases_are_asked() {
  torch::nn::Linear net(3, 1);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  std::vector<torch::Tensor> seen;
  for (const auto &p : net->parameters())
    seen.push_back(p.detach());
  for (int i = 0; i < 3; ++i) {
    optimizer.zero_grad();
    net(input()).pow(2).mean().backward();
    optimizer.step();
    for (const auto &t : seen)
      if (t.grad().defined())
        std::cout << t.grad().norm() << std::endl;
  }
}
