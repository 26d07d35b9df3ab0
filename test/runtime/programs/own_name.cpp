// A function named as one of the C library's, which gives 0 here: in a program the program's own is called.
#include <torch_tidy/confirm.h>

extern "C" __attribute__((noinline)) long a64l(const char *) noexcept {
  static volatile long one = 1;
  return one;
}

TORCH_TIDY_MODEL(own_name) {
  torch::nn::Linear net(4, 1);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  torch_tidy::train(net, optimizer,
                    [=]() mutable { return (net->forward(x) * a64l("")).pow(2).mean(); });
}
