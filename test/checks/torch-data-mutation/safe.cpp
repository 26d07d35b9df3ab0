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
