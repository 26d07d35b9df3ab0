// RUN: %check %s
// Complex numbers carry gradients like others, and so do their parts. Run: each of these trains.
#include <torch/torch.h>

template <typename Loss> void train(Loss loss) {
  torch::Tensor w = torch::randn({8, 2}, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  for (int step = 0; step < 3; ++step) {
    auto value = loss(torch::view_as_complex(w));
    optimizer.zero_grad();
    value.backward();
    optimizer.step();
  }
}

void imaginary_part() {
  train([](torch::Tensor z) { return torch::imag(z).pow(2).sum(); });
}

void real_part() {
  train([](torch::Tensor z) { return torch::real(z).pow(2).sum(); });
}

void as_real_numbers() {
  train([](torch::Tensor z) { return torch::view_as_real(z).pow(2).sum(); });
}

void conjugate() {
  train([](torch::Tensor z) { return torch::_conj(z).abs().pow(2).sum(); });
}

void magnitude() {
  train([](torch::Tensor z) { return z.abs().sum(); });
}

void spectrum() {
  train([](torch::Tensor z) { return torch::fft::ifft(z).abs().sum(); });
}

// What is rounded has no gradient but zero.
void rounded_magnitude() {
  torch::Tensor w = torch::randn({8, 2}, torch::requires_grad());
  torch::optim::SGD optimizer({w}, 0.1);
  auto loss = torch::view_as_complex(w).abs().round().sum();
  // CHECK-MESSAGES: :[[@LINE-1]]:47: warning: {{.*}} [definite: zero] [torch-graph-cut]
  optimizer.zero_grad();
  loss.backward();
  optimizer.step();
}
