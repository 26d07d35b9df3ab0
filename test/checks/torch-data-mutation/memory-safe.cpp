// RUN: %check %s
// Memory that is only read, or a copy of it. Run: each gradient is right.
#include <torch/torch.h>

#include <cstring>
#include <numeric>

void read_through_an_accessor() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  auto a = h.accessor<float, 1>();
  float s = 0;
  for (int i = 0; i < a.size(0); ++i)
    s += a[i];
  h.sum().backward();
}

void a_copy_of_the_memory() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto view = torch::from_blob(h.data_ptr<float>(), {3}).clone();
  view.mul_(2);
  h.sum().backward();
}

void a_pointer_for_reading() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  const float *p = h.data_ptr<float>();
  float s = std::accumulate(p, p + 3, 0.f);
  h.sum().backward();
}

void copied_out() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::exp(w);
  float out[3];
  std::memcpy(out, h.data_ptr<float>(), sizeof out);
  h.sum().backward();
}

void a_weight_after_its_gradient() {
  auto w = torch::ones({3}, torch::requires_grad());
  w.pow(2).sum().backward();
  auto a = w.accessor<float, 1>();
  a[0] -= 0.1f;
}
