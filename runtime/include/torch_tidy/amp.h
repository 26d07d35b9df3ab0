// Mixed precision for C++ training loops: the autocast guard and the gradient scaler that Python
// has and LibTorch's C++ API lacks.
#pragma once

#include <ATen/ATen.h>
#include <torch/optim/optimizer.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace torch_tidy {

/// Switches autocast on (or off) for one device type while it lives, like Python's
/// `torch.autocast`.
///
/// Guards nest; each restores what it found: enabled or not, dtype, and whether weight casts are
/// cached. When the outermost guard of a thread ends, the cache of cast weights is cleared. Without
/// that a cast made before `optimizer.step()` is used again after it, and the forward runs on old
/// weights.
///
/// Throws `c10::Error` where LibTorch has no autocast for `device` or none to `dtype` on it
/// (1.13.1's CPU knows bfloat16 alone).
class Autocast {
public:
  /// `dtype` defaults to what LibTorch has set for the device: float16 on CUDA, bfloat16 on the
  /// CPU.
  explicit Autocast(c10::DeviceType device, std::optional<at::ScalarType> dtype = std::nullopt,
                    bool enabled = true, bool cache_enabled = true);
  ~Autocast();
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;
  Autocast(Autocast &&) = delete;
  Autocast &operator=(Autocast &&) = delete;

  /// Can autocast run with `dtype` on `device` in this LibTorch?
  static bool is_available(c10::DeviceType device, at::ScalarType dtype);

private:
  c10::DeviceType device_;
  bool previous_enabled_;
  at::ScalarType previous_dtype_;
  bool previous_cache_enabled_;
};

struct GradScalerOptions {
  double init_scale = 65536.0;    ///< the first scale; any positive finite number
  double growth_factor = 2.0;     ///< > 1; multiplies the scale after `growth_interval` good steps
  double backoff_factor = 0.5;    ///< < 1; multiplies the scale after a step with inf or nan
  int64_t growth_interval = 2000; ///< > 0; consecutive good steps before the scale grows
  bool enabled = true;            ///< false: scale() and step() pass through, the rest does nothing
};

/// Scales the loss so that float16 gradients do not underflow, and unscales them before the
/// optimizer consumes them: Python's `torch.amp.GradScaler`, with its states and its errors.
///
///   torch_tidy::GradScaler scaler;
///   optimizer.zero_grad();
///   { torch_tidy::Autocast autocast(torch::kCUDA); loss = net->forward(x); }
///   scaler.scale(loss).backward();
///   scaler.step(optimizer);   // unscales; skips the step when a gradient is inf or nan
///   scaler.update();
///
/// Misuse throws `c10::Error`: see each member. One scaler serves several optimizers; it is not
/// thread-safe.
class GradScaler {
public:
  explicit GradScaler(GradScalerOptions options = {});

  /// `output * scale`, on the device of `output`. The scale lives on the device of the first
  /// tensor.
  at::Tensor scale(const at::Tensor &output);
  /// Each of them, in order.
  std::vector<at::Tensor> scale(const std::vector<at::Tensor> &outputs);

  /// Divides the gradients of the optimizer's parameters by the scale, in place, and notes whether
  /// one is inf or nan: needed only to read or clip them before step(). Throws before any scale(),
  /// a second time before update(), after step(), and for float16 gradients (scaled parameters must
  /// be float32).
  void unscale_(torch::optim::Optimizer &optimizer);

  /// Unscales unless that is done, then `optimizer.step()` unless a gradient is inf or nan. Returns
  /// whether the optimizer stepped.
  /// Throws a second time before update(), and where no parameter had a gradient.
  bool step(torch::optim::Optimizer &optimizer);
  /// Closures cannot be used with an enabled scaler (they would recompute unscaled gradients):
  /// throws. A disabled scaler passes it on.
  bool step(torch::optim::Optimizer &optimizer, torch::optim::Optimizer::LossClosure closure);

  /// Adapts the scale to what the steps since the last update() found, or sets it, and starts a new
  /// round. Throws where no unscale_() or step() came before (unless `new_scale` is given).
  void update();
  void update(double new_scale);
  /// A one-element float32 tensor that does not require grad.
  void update(const at::Tensor &new_scale);

  /// Waits for the device. 1 for a disabled scaler.
  double get_scale() const;
  bool is_enabled() const { return options_.enabled; }
  double get_growth_factor() const { return options_.growth_factor; }
  void set_growth_factor(double factor) { options_.growth_factor = factor; }
  double get_backoff_factor() const { return options_.backoff_factor; }
  void set_backoff_factor(double factor) { options_.backoff_factor = factor; }
  int64_t get_growth_interval() const { return options_.growth_interval; }
  void set_growth_interval(int64_t interval) { options_.growth_interval = interval; }
  /// Good steps since the scale last changed.
  int64_t get_growth_tracker() const;

  /// Keys as Python's: scale, growth_factor, backoff_factor, growth_interval, _growth_tracker.
  /// Empty for a disabled scaler.
  std::map<std::string, double> state_dict() const;
  /// Throws for an empty dictionary (from a disabled scaler) and for a missing key. Does nothing
  /// when disabled.
  void load_state_dict(const std::map<std::string, double> &state);

private:
  enum class Stage { ready, unscaled, stepped };
  struct OptimizerState {
    Stage stage = Stage::ready;
    /// Per device, a one-element float32 tensor: 1 where a gradient there is inf or nan.
    std::vector<at::Tensor> found_inf;
  };

  void lazy_init(c10::Device device);
  void check_initialized(const char *function) const;
  OptimizerState unscale_gradients(torch::optim::Optimizer &optimizer);
  bool found_inf(const OptimizerState &state) const;

  GradScalerOptions options_;
  at::Tensor scale_;          ///< one float32; undefined until the first scale()
  at::Tensor growth_tracker_; ///< one int32
  double init_scale_;
  int64_t init_growth_tracker_ = 0;
  std::unordered_map<const torch::optim::Optimizer *, OptimizerState> states_;
};

} // namespace torch_tidy
