// RUN: %check %s
#include <torch/torch.h>

void read_only() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto log = h.detach();
  auto mean = (log * 100).mean();
  h.sum().backward();
}

void written_on_a_copy() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  auto log = h.detach().clone();
  log.mul_(100);
  h.sum().backward();
}

void written_after_backward() {
  auto w = torch::ones({3}, torch::requires_grad());
  auto h = torch::sigmoid(w);
  h.sum().backward();
  h.detach().mul_(100);
}

void initialised_through_detach() {
  auto w = torch::ones({3}, torch::requires_grad());
  w.detach().uniform_(-1, 1);
  w.pow(2).sum().backward();
}
