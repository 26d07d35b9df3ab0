// Note [Derivatives]
// A gradient is right when it is the derivative of the loss, and the loss can be had for moved
// parameters by running the model again from the same seed. So a gradient can be proven wrong
// without any corrected program to compare with: autograd's word against the program's own.
//
// Per parameter p with gradient g, along one unit direction d (half g, half random: g alone misses
// what is orthogonal to it, and chance alone is nearly orthogonal to g where p is large),
//
//     analytic = <g, d>        numeric(h) = (loss(p + h d) - loss(p - h d)) / 2h
//
// for three steps h. Float32 leaves ~1e-7 of noise in a loss; kinks and curvature bend large steps.
// Both show as disagreement between the numeric values themselves: the two neighbours that agree
// best are believed, and what they differ by is the uncertainty. What random numbers, not of
// LibTorch's generator, do to a loss makes the uncertainty large, hence nothing is said.
//
// Its limit: a stop-gradient that the author wants (a target network, a straight-through estimator)
// also has another derivative than the loss. So this is evidence for a finding that predicts as
// much, never a search for defects.
#include "record.h"

#include <chrono>
#include <cmath>
#include <random>

namespace torch_tidy::detail {
namespace {

constexpr size_t max_parameters = 64;
constexpr auto max_time = std::chrono::seconds(20);
constexpr double noise_of_loss = 2e-7; // relative; a few units in the last place of float32

struct Gradient {
  std::string name;
  torch::Tensor direction;
  bool defined = false;
  double analytic = 0;
  double gradient_norm = 0;
  double parameter_norm = 0;
};

// Runs the model until the replay ends it. False where it ended otherwise.
bool replay(const RegisteredModel &model, const RunOptions &options, const torch::Device &device,
            const Replay &wishes) {
  Recorder recorder(options, device, &wishes);
  begin_model(options);
  try {
    model.function();
  } catch (const EndOfReplay &) {
    return true;
  } catch (...) {
  }
  return false;
}

// Independent of LibTorch's generator, which must give the model the same numbers every time.
torch::Tensor random_like(const torch::Tensor &tensor, uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  torch::Tensor result = torch::empty({tensor.numel()}, torch::kFloat);
  for (int64_t i = 0; i < result.numel(); ++i) {
    result.data_ptr<float>()[i] = normal(generator);
  }
  return result.reshape(tensor.sizes()).to(tensor.options());
}

Gradient gradient_of(const std::string &name, const torch::Tensor &parameter, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  Gradient one;
  one.name = name;
  one.parameter_norm = parameter.norm().item<double>();
  one.direction = random_like(parameter, seed);
  one.direction /= one.direction.norm();
  const torch::Tensor gradient = parameter.grad();
  one.defined = gradient.defined();
  if (one.defined) {
    one.gradient_norm = gradient.norm().item<double>();
    if (one.gradient_norm > 0) {
      if ((gradient * one.direction).sum().item<double>() < 0) {
        one.direction.neg_(); // lest the two cancel out
      }
      one.direction += gradient / one.gradient_norm;
      one.direction /= one.direction.norm();
    }
    one.analytic = (gradient * one.direction).sum().item<double>();
  }
  return one;
}

} // namespace

nlohmann::json measure_derivatives(const RegisteredModel &model, const RunOptions &options,
                                   const torch::Device &device) {
  nlohmann::json result = nlohmann::json::array();
  std::vector<Gradient> gradients;
  double loss = NAN;
  Replay first;
  first.loss = [&](double value) { loss = value; };
  first.after_backward = [&](torch::nn::Module &module) {
    for (const auto &item : module.named_parameters()) {
      const torch::Tensor &parameter = item.value();
      if (parameter.requires_grad() && parameter.is_floating_point() && parameter.numel() > 0 &&
          !(parameter.grad().defined() && parameter.grad().is_sparse()) &&
          gradients.size() < max_parameters) {
        gradients.push_back(gradient_of(item.key(), parameter, gradients.size()));
      }
    }
    throw EndOfReplay();
  };
  if (!replay(model, options, device, first) || !std::isfinite(loss)) {
    return result;
  }
  const auto begun = std::chrono::steady_clock::now();
  for (const Gradient &one : gradients) {
    if (std::chrono::steady_clock::now() - begun > max_time) {
      break;
    }
    const auto loss_at = [&](double distance) {
      double value = NAN;
      Replay moved;
      moved.before_step = [&](torch::nn::Module &module) {
        // Through data(): nothing of this is the program's.
        module.named_parameters()[one.name].data().add_(one.direction, distance);
      };
      moved.loss = [&](double seen) {
        value = seen;
        throw EndOfReplay();
      };
      return replay(model, options, device, moved) ? value : NAN;
    };
    double numeric = NAN;
    double uncertainty = INFINITY;
    double before = NAN;
    for (double h = 1e-2 * std::max(one.parameter_norm, 0.1), i = 0; i < 4; h /= 4, ++i) {
      const double here = (loss_at(h) - loss_at(-h)) / (2 * h);
      const double noise = noise_of_loss * std::max(std::abs(loss), 1e-2) / h;
      if (std::isfinite(here) && std::abs(here - before) + noise < uncertainty) {
        uncertainty = std::abs(here - before) + noise;
        numeric = here;
      }
      before = here;
    }
    if (std::isfinite(uncertainty)) {
      result.push_back({{"name", one.name},
                        {"defined", one.defined},
                        {"gradient_norm", one.gradient_norm},
                        {"analytic", one.analytic},
                        {"numeric", numeric},
                        {"uncertainty", uncertainty}});
    }
  }
  return result;
}

} // namespace torch_tidy::detail
