#include <torch_tidy/amp.h>

#include <ATen/autocast_mode.h>
#include <torch/version.h>

// Autocast's functions take a device type from 2.4 on; before that there is one set per device.
#define TORCH_TIDY_AUTOCAST_BY_DEVICE                                                              \
  (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4))

namespace torch_tidy {
namespace {

#if TORCH_TIDY_AUTOCAST_BY_DEVICE
bool is_enabled(c10::DeviceType device) { return at::autocast::is_autocast_enabled(device); }
void set_enabled(c10::DeviceType device, bool enabled) {
  at::autocast::set_autocast_enabled(device, enabled);
}
at::ScalarType get_dtype(c10::DeviceType device) {
  return at::autocast::get_autocast_dtype(device);
}
void set_dtype(c10::DeviceType device, at::ScalarType dtype) {
  at::autocast::set_autocast_dtype(device, dtype);
}
constexpr bool cpu_has_half = true;
#else
bool is_enabled(c10::DeviceType device) {
  return device == c10::DeviceType::CUDA ? at::autocast::is_enabled()
                                         : at::autocast::is_cpu_enabled();
}
void set_enabled(c10::DeviceType device, bool enabled) {
  device == c10::DeviceType::CUDA ? at::autocast::set_enabled(enabled)
                                  : at::autocast::set_cpu_enabled(enabled);
}
at::ScalarType get_dtype(c10::DeviceType device) {
  return device == c10::DeviceType::CUDA ? at::autocast::get_autocast_gpu_dtype()
                                         : at::autocast::get_autocast_cpu_dtype();
}
void set_dtype(c10::DeviceType device, at::ScalarType dtype) {
  device == c10::DeviceType::CUDA ? at::autocast::set_autocast_gpu_dtype(dtype)
                                  : at::autocast::set_autocast_cpu_dtype(dtype);
}
constexpr bool cpu_has_half = false;
#endif

} // namespace

bool Autocast::is_available(c10::DeviceType device, at::ScalarType dtype) {
  switch (device) {
  case c10::DeviceType::CUDA:
    return dtype == at::kHalf || dtype == at::kBFloat16;
  case c10::DeviceType::CPU:
    return dtype == at::kBFloat16 || (dtype == at::kHalf && cpu_has_half);
  default:
    return false;
  }
}

Autocast::Autocast(c10::DeviceType device, std::optional<at::ScalarType> dtype, bool enabled,
                   bool cache_enabled)
    : device_(device) {
  TORCH_CHECK(device == c10::DeviceType::CPU || device == c10::DeviceType::CUDA,
              "torch_tidy::Autocast knows the CPU and CUDA, not ", c10::DeviceTypeName(device),
              ".");
  const at::ScalarType cast_to = dtype.value_or(get_dtype(device));
  // A disabled guard casts nothing, so any dtype will do, as in Python.
  TORCH_CHECK(!enabled || is_available(device, cast_to), "torch_tidy::Autocast: LibTorch ",
              TORCH_VERSION, " has no autocast to ", cast_to, " on ",
              c10::DeviceTypeName(device, /*lower_case=*/true), ". Use ", at::kBFloat16,
              ", or torch_tidy::Autocast::is_available to ask first.");
  previous_enabled_ = is_enabled(device);
  previous_dtype_ = get_dtype(device);
  previous_cache_enabled_ = at::autocast::is_autocast_cache_enabled();
  set_enabled(device, enabled);
  set_dtype(device, cast_to);
  at::autocast::increment_nesting();
  at::autocast::set_autocast_cache_enabled(cache_enabled);
}

Autocast::~Autocast() {
  if (at::autocast::decrement_nesting() == 0) {
    at::autocast::clear_cache();
  }
  set_enabled(device_, previous_enabled_);
  set_dtype(device_, previous_dtype_);
  at::autocast::set_autocast_cache_enabled(previous_cache_enabled_);
}

} // namespace torch_tidy
