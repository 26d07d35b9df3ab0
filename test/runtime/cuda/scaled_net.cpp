// A model with an operation of its own, on the device through a kernel: how a program looks that
// needs nvcc. On the CPU the same operation is LibTorch's.
#include "scale.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch_tidy/confirm.h>

namespace {

torch::Tensor scaled(const torch::Tensor &x, double factor) {
  if (!x.is_cuda()) {
    return x * factor;
  }
  const c10::cuda::CUDAGuard guard(x.device());
  const torch::Tensor in = x.contiguous();
  torch::Tensor out = torch::empty_like(in);
  TORCH_CHECK(scale_on_device(in.data_ptr<float>(), out.data_ptr<float>(), in.numel(),
                              static_cast<float>(factor),
                              c10::cuda::getCurrentCUDAStream()) == cudaSuccess,
              "the kernel could not be launched");
  return out;
}

struct Scale : torch::autograd::Function<Scale> {
  static torch::Tensor forward(torch::autograd::AutogradContext *context, const torch::Tensor &x,
                               double factor) {
    context->saved_data["factor"] = factor;
    return scaled(x.to(torch::kFloat), factor);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    return {scaled(gradients[0], context->saved_data["factor"].toDouble()), torch::Tensor()};
  }
};

} // namespace

TORCH_TIDY_MODEL(scaled_net) {
  torch::nn::Linear net(4, 1);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const auto x = torch::randn({8, 4}, torch_tidy::device());
  torch_tidy::train(net, optimizer, [=]() mutable {
    return Scale::apply(net->forward(x), 0.5).pow(2).mean();
  });
}
