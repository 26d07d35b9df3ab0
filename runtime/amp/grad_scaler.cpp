#include <torch_tidy/amp.h>

#include "consumption.h"

#include <torch/types.h>
#include <torch/version.h>

#include <cmath>

namespace torch_tidy {
namespace {

// Note [Kernels of the scaler]
// CUDA has had the scaler's two kernels always, the CPU has them in 2.15 and had none in 1.13.1
// (calling them there throws "Could not run ... from the 'CPU' backend"). Where they may be
// missing, the same is done with ordinary operators.
constexpr bool cpu_has_kernels = TORCH_VERSION_MAJOR > 2 ||
                                 (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4);

bool has_kernels(const c10::Device &device) { return !device.is_cpu() || cpu_has_kernels; }

// For each gradient: found_inf becomes 1 where it is not finite; it is multiplied by inv_scale.
void check_and_unscale(std::vector<at::Tensor> &gradients, at::Tensor &found_inf,
                       const at::Tensor &inv_scale) {
  if (has_kernels(found_inf.device())) {
    at::_amp_foreach_non_finite_check_and_unscale_(gradients, found_inf, inv_scale);
    return;
  }
  for (at::Tensor &gradient : gradients) {
    found_inf.logical_or_(at::isfinite(gradient).all().logical_not());
    gradient.mul_(inv_scale.to(gradient.scalar_type()));
  }
}

void update_scale(at::Tensor &scale, at::Tensor &growth_tracker, const at::Tensor &found_inf,
                  const GradScalerOptions &options) {
  if (has_kernels(scale.device())) {
    at::_amp_update_scale_(scale, growth_tracker, found_inf, options.growth_factor,
                           options.backoff_factor, options.growth_interval);
    return;
  }
  // In single precision, as the kernel does: the scale must come out the same to the last bit.
  const auto current = scale.item<float>();
  if (found_inf.item<float>() != 0) {
    scale.fill_(static_cast<float>(current * options.backoff_factor));
    growth_tracker.zero_();
    return;
  }
  const int64_t successful = growth_tracker.item<int>() + 1;
  if (successful < options.growth_interval) {
    growth_tracker.fill_(successful);
    return;
  }
  const auto grown = static_cast<float>(current * options.growth_factor);
  if (std::isfinite(grown)) {
    scale.fill_(grown);
  }
  growth_tracker.zero_();
}

at::TensorOptions one_float(const c10::Device &device) {
  return at::TensorOptions().dtype(at::kFloat).device(device);
}

} // namespace

GradScaler::GradScaler(GradScalerOptions options)
    : options_(options), init_scale_(options.init_scale) {
  if (options_.enabled) {
    TORCH_CHECK(options_.growth_factor > 1.0, "The growth factor must be > 1.0.");
    TORCH_CHECK(options_.backoff_factor < 1.0, "The backoff factor must be < 1.0.");
  }
}

void GradScaler::lazy_init(c10::Device device) {
  if (!scale_.defined()) {
    // Not with the thread's gradient or inference mode: the scaler outlives them.
    c10::InferenceMode no_inference(false);
    scale_ = at::full({}, init_scale_, one_float(device));
    growth_tracker_ = at::full({}, init_growth_tracker_, one_float(device).dtype(at::kInt));
  }
}

void GradScaler::check_initialized(const char *function) const {
  TORCH_CHECK(scale_.defined(), "Attempted ", function,
              " but the scale is not set. Did the training step use scaler.scale(loss) before?");
}

at::Tensor GradScaler::scale(const at::Tensor &output) {
  if (!options_.enabled) {
    return output;
  }
  lazy_init(output.device());
  return output * scale_.to(output.device(), /*non_blocking=*/true);
}

std::vector<at::Tensor> GradScaler::scale(const std::vector<at::Tensor> &outputs) {
  std::vector<at::Tensor> scaled;
  scaled.reserve(outputs.size());
  for (const at::Tensor &output : outputs) {
    scaled.push_back(scale(output));
  }
  return scaled;
}

GradScaler::OptimizerState GradScaler::unscale_gradients(torch::optim::Optimizer &optimizer) {
  at::NoGradGuard no_grad;
  // 1/scale in double first: the reciprocal of a float32 scale is then rounded once.
  const at::Tensor inv_scale = scale_.to(at::kDouble).reciprocal().to(at::kFloat);
  std::map<std::pair<std::string, at::ScalarType>, std::vector<at::Tensor>> groups;
  for (auto &group : optimizer.param_groups()) {
    for (at::Tensor &parameter : group.params()) {
      at::Tensor &gradient = parameter.mutable_grad();
      if (!gradient.defined()) {
        continue;
      }
      TORCH_CHECK(gradient.scalar_type() != at::kHalf, "Attempting to unscale FP16 gradients.");
      const at::Tensor values = gradient.is_sparse() ? gradient._values() : gradient;
      groups[{values.device().str(), values.scalar_type()}].push_back(values);
    }
  }
  OptimizerState state;
  std::map<std::string, at::Tensor> found_inf;
  for (auto &[key, gradients] : groups) {
    const c10::Device device = gradients.front().device();
    at::Tensor &found = found_inf[key.first];
    if (!found.defined()) {
      found = at::zeros({}, one_float(device));
    }
    check_and_unscale(gradients, found, inv_scale.to(device));
  }
  for (auto &[device, found] : found_inf) {
    state.found_inf.push_back(found);
  }
  return state;
}

void GradScaler::unscale_(torch::optim::Optimizer &optimizer) {
  if (!options_.enabled) {
    return;
  }
  check_initialized("unscale_");
  OptimizerState &state = states_[&optimizer];
  TORCH_CHECK(state.stage != Stage::unscaled,
              "unscale_() has already been called on this optimizer since the last update().");
  TORCH_CHECK(state.stage != Stage::stepped, "unscale_() is being called after step().");
  state.found_inf = unscale_gradients(optimizer).found_inf;
  state.stage = Stage::unscaled;
}

bool GradScaler::found_inf(const OptimizerState &state) const {
  for (const at::Tensor &found : state.found_inf) {
    if (found.item<float>() != 0) {
      return true;
    }
  }
  return false;
}

bool GradScaler::step(torch::optim::Optimizer &optimizer) {
  if (!options_.enabled) {
    detail::about_to_consume(optimizer, 1.0, false);
    optimizer.step();
    detail::consumed(optimizer, true);
    return true;
  }
  check_initialized("step");
  OptimizerState &state = states_[&optimizer];
  TORCH_CHECK(state.stage != Stage::stepped,
              "step() has already been called since the last update().");
  if (state.stage == Stage::ready) {
    unscale_(optimizer);
  }
  TORCH_CHECK(!state.found_inf.empty(), "No inf checks were recorded for this optimizer.");
  const bool skip = found_inf(state);
  detail::about_to_consume(optimizer, get_scale(), skip);
  if (!skip) {
    optimizer.step();
  }
  detail::consumed(optimizer, !skip);
  state.stage = Stage::stepped;
  return !skip;
}

bool GradScaler::step(torch::optim::Optimizer &optimizer,
                      torch::optim::Optimizer::LossClosure closure) {
  TORCH_CHECK(!options_.enabled,
              "Closure use is not currently supported if GradScaler is enabled.");
  detail::about_to_consume(optimizer, 1.0, false);
  optimizer.step(std::move(closure));
  detail::consumed(optimizer, true);
  return true;
}

void GradScaler::update() {
  if (!options_.enabled) {
    return;
  }
  check_initialized("update");
  at::Tensor found;
  for (const auto &[optimizer, state] : states_) {
    for (const at::Tensor &one : state.found_inf) {
      const at::Tensor here = one.to(scale_.device(), /*non_blocking=*/true);
      found = found.defined() ? found + here : here;
    }
  }
  TORCH_CHECK(found.defined(), "No inf checks were recorded prior to update.");
  update_scale(scale_, growth_tracker_, found, options_);
  states_.clear();
}

void GradScaler::update(double new_scale) {
  if (!options_.enabled) {
    return;
  }
  check_initialized("update");
  scale_.fill_(new_scale);
  states_.clear();
}

void GradScaler::update(const at::Tensor &new_scale) {
  if (!options_.enabled) {
    return;
  }
  check_initialized("update");
  TORCH_CHECK(new_scale.defined() && new_scale.scalar_type() == at::kFloat &&
                  new_scale.numel() == 1 && !new_scale.requires_grad(),
              "new_scale should be a number or a one-element float32 tensor with "
              "requires_grad=false.");
  scale_.copy_(new_scale.reshape({}));
  states_.clear();
}

double GradScaler::get_scale() const {
  if (!options_.enabled) {
    return 1.0;
  }
  return scale_.defined() ? scale_.item<float>() : init_scale_;
}

int64_t GradScaler::get_growth_tracker() const {
  return growth_tracker_.defined() ? growth_tracker_.item<int>() : init_growth_tracker_;
}

std::map<std::string, double> GradScaler::state_dict() const {
  if (!options_.enabled) {
    return {};
  }
  return {{"scale", get_scale()},
          {"growth_factor", options_.growth_factor},
          {"backoff_factor", options_.backoff_factor},
          {"growth_interval", static_cast<double>(options_.growth_interval)},
          {"_growth_tracker", static_cast<double>(get_growth_tracker())}};
}

void GradScaler::load_state_dict(const std::map<std::string, double> &state) {
  if (!options_.enabled) {
    return;
  }
  TORCH_CHECK(!state.empty(),
              "The source state dict is empty, possibly because it was saved from a "
              "disabled instance of GradScaler.");
  const auto value = [&](const char *key) {
    const auto it = state.find(key);
    TORCH_CHECK(it != state.end(), "The source state dict lacks '", key, "'.");
    return it->second;
  };
  // All of them before the first change: a bad dictionary leaves the scaler as it was.
  const double scale = value("scale");
  const double growth_factor = value("growth_factor");
  const double backoff_factor = value("backoff_factor");
  const auto growth_interval = static_cast<int64_t>(value("growth_interval"));
  const auto growth_tracker = static_cast<int64_t>(value("_growth_tracker"));
  init_scale_ = scale;
  init_growth_tracker_ = growth_tracker;
  options_.growth_factor = growth_factor;
  options_.backoff_factor = backoff_factor;
  options_.growth_interval = growth_interval;
  if (scale_.defined()) {
    scale_.fill_(scale);
    growth_tracker_.fill_(growth_tracker);
  }
}

} // namespace torch_tidy
