#include "record.h"

#include <ATen/autocast_mode.h>

namespace torch_tidy {
namespace detail {
namespace {

std::optional<at::ScalarType> autocast_dtype(Precision precision) {
  switch (precision) {
  case Precision::bf16:
    return at::kBFloat16;
  case Precision::fp16:
  case Precision::fp16_noscale:
    return at::kHalf;
  case Precision::fp32:
    break;
  }
  return std::nullopt;
}

// A skipped step teaches nothing; the scale needs at most this many to come down from 65536 to 1.
constexpr int64_t extra_steps_for_skipped = 16;

} // namespace
} // namespace detail

torch::Device device() {
  const detail::Recorder *const recorder = detail::Recorder::current();
  return recorder != nullptr ? recorder->device() : torch::Device(torch::kCPU);
}

struct Step::Impl {
  int64_t index = 0;
  std::optional<at::ScalarType> autocast;
  std::optional<GradScaler> scaler;

  // Runs outside autocast, and leaves no cast weight behind: see Step in confirm.h.
  template <typename Function> void outside_autocast(Function &&function) const {
    {
      const Autocast off(torch_tidy::device().type(), std::nullopt, /*enabled=*/false);
      function();
    }
    at::autocast::clear_cache();
  }
};

int64_t Step::index() const { return impl_.index; }
torch::Device Step::device() const { return torch_tidy::device(); }
torch::Tensor Step::to(const torch::Tensor &tensor) const { return tensor.to(device()); }
GradScaler &Step::scaler() { return *impl_.scaler; }

void Step::backward(const torch::Tensor &loss, bool retain_graph) {
  impl_.outside_autocast([&] {
    torch::Tensor scaled = impl_.scaler->scale(loss);
    detail::Recorder *const recorder = detail::Recorder::current();
    if (recorder != nullptr) {
      recorder->before_backward(loss, impl_.scaler->get_scale());
    }
    scaled.backward({}, retain_graph);
    if (recorder != nullptr) {
      recorder->after_backward();
    }
  });
}

void Step::unscale(torch::optim::Optimizer &optimizer) { impl_.scaler->unscale_(optimizer); }

void Step::update(torch::optim::Optimizer &optimizer) {
  impl_.outside_autocast([&] {
    GradScaler &scaler = *impl_.scaler;
    if (scaler.is_enabled()) {
      // The scaler refuses an optimizer none of whose tensors has a gradient. That is a finding,
      // not a misuse of the scaler by this loop: the step is then what it is without one, a no-op.
      bool any = false;
      for (const auto &group : optimizer.param_groups()) {
        for (const torch::Tensor &tensor : group.params()) {
          any = any || tensor.grad().defined();
        }
      }
      if (!any) {
        if (detail::Recorder *const recorder = detail::Recorder::current()) {
          recorder->before_update(optimizer, scaler.get_scale(), false);
          optimizer.step();
          recorder->after_update(optimizer, true);
        }
        return;
      }
    }
    scaler.step(optimizer);
    scaler.update();
  });
}

namespace detail {

void run_training(torch::nn::Module &module, const std::function<void(Step &)> &body,
                  int64_t steps) {
  TORCH_CHECK(steps > 0, "torch_tidy::train: steps must be positive, not ", steps, ".");
  Recorder *const recorder = Recorder::current();
  if (device() != torch::Device(torch::kCPU)) {
    module.to(device());
  }
  Step::Impl impl;
  GradScalerOptions scaling;
  scaling.enabled = recorder != nullptr && recorder->options().precision == Precision::fp16;
  impl.scaler.emplace(scaling);
  if (recorder == nullptr) {
    for (; impl.index < steps; ++impl.index) {
      Step step(impl);
      body(step);
    }
    return;
  }
  impl.autocast = autocast_dtype(recorder->options().precision);
  if (recorder->options().max_steps > 0) {
    steps = std::min(steps, recorder->options().max_steps);
  }
  recorder->begin_training(module);
  int64_t good = 0;
  for (int64_t extra = 0; good < steps && extra <= extra_steps_for_skipped; ++impl.index) {
    recorder->begin_step(impl.index);
    {
      std::optional<Autocast> autocast;
      if (impl.autocast) {
        autocast.emplace(device().type(), impl.autocast);
      }
      Step step(impl);
      body(step);
    }
    recorder->end_step();
    recorder->last_step_skipped() ? ++extra : ++good;
  }
  recorder->set_phase("after training");
}

} // namespace detail
} // namespace torch_tidy
