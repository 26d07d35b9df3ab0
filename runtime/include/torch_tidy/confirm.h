// Registers a model so that `torch-tidy confirm` can run it, as a fuzz target is registered:
//
//   #include <torch_tidy/confirm.h>
//
//   TORCH_TIDY_MODEL(tiny_classifier) {
//     Net net; // ordinary LibTorch
//     torch::optim::SGD optimizer(net->parameters(), 0.1);
//     auto x = torch::randn({8, 4}, torch_tidy::device());
//     auto y = torch::randn({8, 1}, torch_tidy::device());
//     torch_tidy::train(net, optimizer, [=]() mutable { return torch::mse_loss(net->forward(x), y);
//     });
//   }
//
// It may stand in any source of a program, beside its `main`. In the program itself it is a
// function that nobody calls: this header is all it needs, no library (unless it uses Autocast,
// GradScaler or tap()). Under confirm, which defines TORCH_TIDY_CONFIRM, it is registered, and run
// with libtorch_tidy_runtime: with fixed seeds, hence the same weights and data in every variant of
// the program, in every precision, and on the device chosen.
//
// Note [Devices]
// train() moves the module to the device; optimizers built before stay valid, since C++'s
// Module::to keeps the identity of parameters (but Adagrad builds its state with the optimizer:
// before it, move the module yourself). Inputs are made on the device with torch_tidy::device(), or
// moved there with step.to(x). That is all that makes CUDA another device for the same program; on
// the CPU both may be left out. With --device auto, a program that does not run on CUDA (an input
// left on the CPU, a tensor's memory read) is run on the CPU.
#pragma once

#include <torch/torch.h>

#include <torch_tidy/amp.h>
#include <torch_tidy/probe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

// Outside confirm nobody calls the registered functions, but compilers emit code for the lambdas in
// them all the same: weak references let such a program link without the library.
#if defined(TORCH_TIDY_CONFIRM) || !defined(__GNUC__)
#define TORCH_TIDY_CONFIRM_ONLY
#else
#define TORCH_TIDY_CONFIRM_ONLY __attribute__((weak))
#endif

namespace torch_tidy {

class Step;

namespace detail {

using ModelFunction = void (*)();
bool register_model(const char *name, const char *file, int line, ModelFunction function);
TORCH_TIDY_CONFIRM_ONLY void run_training(torch::nn::Module &module,
                                          const std::function<void(Step &)> &body, int64_t steps);

template <typename M> torch::nn::Module &as_module(M &module) {
  if constexpr (std::is_base_of_v<torch::nn::Module, std::remove_const_t<M>>) {
    return const_cast<std::remove_const_t<M> &>(module);
  } else {
    return const_cast<torch::nn::Module &>(
        static_cast<const torch::nn::Module &>(*module)); // ModuleHolder, shared_ptr, unique_ptr
  }
}

} // namespace detail

/// The device of this run: cpu unless confirm was told, or found, another.
TORCH_TIDY_CONFIRM_ONLY torch::Device device();

/// One step of the training loop, as the body of train() sees it. Autocast is on in the body where
/// the precision mode asks for it; backward() and update() run without it, and each clears its
/// weight cache, as leaving Python's `with autocast` does.
class Step {
public:
  /// 0 for the first step.
  TORCH_TIDY_CONFIRM_ONLY int64_t index() const;
  TORCH_TIDY_CONFIRM_ONLY torch::Device device() const;
  /// `tensor` on this run's device.
  TORCH_TIDY_CONFIRM_ONLY torch::Tensor to(const torch::Tensor &tensor) const;
  /// Backward through `loss`, scaled in the fp16 mode.
  TORCH_TIDY_CONFIRM_ONLY void backward(const torch::Tensor &loss, bool retain_graph = false);
  /// Only to read or clip gradients between backward() and update(): unscales them in the fp16
  /// mode.
  TORCH_TIDY_CONFIRM_ONLY void unscale(torch::optim::Optimizer &optimizer);
  /// Unscales where needed and steps, unless a gradient is inf or nan in the fp16 mode.
  TORCH_TIDY_CONFIRM_ONLY void update(torch::optim::Optimizer &optimizer);
  /// The scaler behind the three; disabled in all modes but fp16.
  TORCH_TIDY_CONFIRM_ONLY GradScaler &scaler();

  Step(const Step &) = delete;
  Step &operator=(const Step &) = delete;
  struct Impl;
  explicit Step(Impl &impl) : impl_(impl) {}

private:
  Impl &impl_;
};

/// Trains for `steps` steps: zero_grad, `loss()` under autocast as the precision mode says,
/// (scaled) backward, (unscale and) step. `module` is a module, its holder or a pointer to it;
/// `loss` returns a scalar tensor. Under confirm the number of steps may be cut.
template <typename M, typename Loss>
std::enable_if_t<std::is_invocable_v<Loss &>> train(M &&module, torch::optim::Optimizer &optimizer,
                                                    Loss &&loss, int64_t steps = 3) {
  detail::run_training(
      detail::as_module(module),
      [&](Step &step) {
        optimizer.zero_grad();
        torch::Tensor value = loss();
        step.backward(value);
        step.update(optimizer);
      },
      steps);
}

/// The same with the loop's body in the user's hands, for what can go wrong there:
///
///   torch_tidy::train(net, [&](torch_tidy::Step& step) {
///     optimizer.zero_grad();
///     auto loss = torch::mse_loss(net->forward(x), y);
///     step.backward(loss);
///     step.update(optimizer);
///   });
template <typename M, typename Body>
std::enable_if_t<std::is_invocable_v<Body &, Step &>> train(M &&module, Body &&body,
                                                            int64_t steps = 3) {
  detail::run_training(
      detail::as_module(module), [&](Step &step) { body(step); }, steps);
}

/// For an own `main`: runs the registered models as `torch-tidy-run` does (see --help). Returns the
/// exit status.
int run_registered_models(int argc, char **argv);

} // namespace torch_tidy

#ifdef TORCH_TIDY_CONFIRM
#define TORCH_TIDY_MODEL(name)                                                                     \
  static void torch_tidy_model_##name();                                                           \
  [[maybe_unused]] static const bool torch_tidy_registered_##name =                                \
      ::torch_tidy::detail::register_model(#name, __FILE__, __LINE__, &torch_tidy_model_##name);   \
  static void torch_tidy_model_##name()
#else
#define TORCH_TIDY_MODEL(name) [[maybe_unused]] static void torch_tidy_model_##name()
#endif
