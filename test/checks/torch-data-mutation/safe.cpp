// RUN: %check %s
#include <torch/torch.h>

void initialised() {
  torch::nn::Linear net(3, 1);
  net->weight.data().normal_(0, 0.1);
  net->bias.data().zero_();
  net->forward(torch::ones({2, 3})).sum().backward();
}

void updated_after_backward() {
  auto w = torch::ones({3}, torch::requires_grad());
  for (int step = 0; step < 2; ++step) {
    w.pow(2).sum().backward();
    w.data().sub_(0.1 * w.grad());
    w.mutable_grad() = torch::Tensor();
  }
}

void read_only() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  float first = h.data_ptr<float>()[0];
  auto large = h.data().max();
  h.sum().backward();
}

void input_filled_through_a_pointer() {
  auto x = torch::empty({3});
  auto *p = x.data_ptr<float>();
  for (int i = 0; i < 3; ++i)
    p[i] = float(i);
  auto w = torch::ones({3}, torch::requires_grad());
  (w * x).sum().backward();
}

// Run: the gradients are those of the weight as it was. linear() saves it transposed, and that view
// keeps the storage that the weight had.
void a_linear_weight_is_replaced() {
  torch::nn::Linear net(3, 3);
  auto loss = net(torch::ones({2, 3}).requires_grad_()).pow(2).sum();
  net->weight.set_data(torch::full({3, 3}, 0.2));
  loss.backward();
}

// What is normalised afterwards does not know of a number that was added to all of it.
void shifted_before_a_normalisation() {
  torch::nn::Linear net(3, 4);
  torch::nn::LayerNorm norm(torch::nn::LayerNormOptions({4}));
  auto h = net(torch::ones({2, 3}));
  auto alias = h.data();
  alias += torch::full_like(alias, 0.3);
  norm(h).pow(3).sum().backward();
}

// Run: the gradients are those of a bias that was set before. It is set by the first batch.
struct CentredByFirstBatch : torch::nn::Module {
  torch::Tensor bias = register_parameter("bias", torch::zeros({3}));
  torch::Tensor ready = register_buffer("ready", torch::zeros({1}, torch::kBool));
  torch::Tensor forward(torch::Tensor x) {
    if (!ready.item<bool>()) {
      bias.set_data((-x.mean(0)).detach());
      ready.fill_(true);
    }
    return (x + bias).pow(2);
  }
};

void centred_by_its_first_batch() {
  CentredByFirstBatch net;
  torch::optim::SGD opt(net.parameters(), 0.1);
  for (int i = 0; i < 3; ++i) {
    auto loss = net.forward(torch::randn({4, 3})).mean();
    opt.zero_grad();
    loss.backward();
    opt.step();
  }
}
