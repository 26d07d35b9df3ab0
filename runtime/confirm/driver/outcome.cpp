#include "outcome.h"

#include "outcome_parts.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace torch_tidy::confirm {
namespace {

constexpr std::array<std::string_view, 7> words = {"throws", "undefined", "zero",  "underflow",
                                                   "stale",  "wrong",     "benign"};

// A gradient this much smaller than the step's whole gradient is rounding noise (the bias of a
// layer before a batch norm): exactly zero or not, right or not, says nothing.
constexpr double negligible = 1e-6;

// The tolerance of a parameter whose gradients in two precisions have nothing in common: see
// calibrate().
constexpr double pure_noise = 0.5;

double norm(const std::vector<double> &values) {
  double sum = 0;
  for (const double value : values) {
    sum += value * value;
  }
  return std::sqrt(sum);
}

double distance(const std::vector<double> &a, const std::vector<double> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  }
  return std::sqrt(sum);
}

double relative(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) {
    return 0;
  }
  const double scale = std::max(std::abs(a), std::abs(b));
  return std::isfinite(scale) ? std::abs(a - b) / scale : INFINITY;
}

// The loss may be the small difference of large things; below this it is compared as it is.
double relative_loss(double a, double b) { return std::abs(a - b) < 1e-7 ? 0 : relative(a, b); }

double whole_norm(const StepObservation &step) {
  double sum = 0;
  for (const GradientObservation &one : step.gradients) {
    if (one.defined && std::isfinite(one.norm)) {
      sum += one.norm * one.norm;
    }
  }
  return std::sqrt(sum);
}

bool has_name(const StepObservation &step, const std::string &name) {
  return std::any_of(step.gradients.begin(), step.gradients.end(),
                     [&](const GradientObservation &one) { return one.name == name; });
}

bool skipped(const StepObservation &step, int64_t round) {
  return round < static_cast<int64_t>(step.rounds.size()) &&
         step.rounds[static_cast<size_t>(round)].skipped;
}

std::set<std::string> minus(const std::set<std::string> &a, const std::set<std::string> &b) {
  std::set<std::string> result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(result, result.end()));
  return result;
}

struct StepComparison {
  Outcome outcome = Outcome::benign;
  std::string reason;
  bool never_arrived = false;
  std::vector<ParameterOutcome> parameters;
};

// Does the variant's gradient equal the corrected one plus what the variant consumed a step
// earlier?
bool accumulated(const GradientObservation &variant, const GradientObservation &corrected,
                 const GradientObservation *before, double tolerance) {
  if (before == nullptr || before->values.size() != variant.values.size() ||
      corrected.values.size() != variant.values.size() || norm(before->values) == 0) {
    return false;
  }
  std::vector<double> sum = corrected.values;
  for (size_t i = 0; i < sum.size(); ++i) {
    sum[i] += before->values[i];
  }
  return distance(variant.values, sum) <=
         tolerance * std::max(norm(variant.values), norm(before->values));
}

StepComparison compare_step(const ModelObservation &variant, const ModelObservation &corrected,
                            size_t index, const Tolerance &tolerance,
                            const ModelObservation *variant_fp32, const std::string &precision) {
  const StepObservation &v = variant.steps[index];
  const StepObservation &c = corrected.steps[index];
  const std::set<std::string> foreign_leaves = minus(v.foreign_leaves, c.foreign_leaves);
  const std::set<std::string> unowned = minus(v.unowned, c.unowned);
  const std::set<std::string> leftover = minus(v.leftover, c.leftover);
  std::set<std::string> unstepped = minus(c.stepped, v.stepped);
  if (std::any_of(v.rounds.begin(), v.rounds.end(),
                  [](const RoundObservation &round) { return round.skipped; })) {
    unstepped.clear(); // by the scaler, for what its gradients are: seen there
  }
  const std::set<std::string> outdated = minus(v.outdated, c.outdated);
  int64_t v_foreign = 0;
  int64_t c_foreign = 0;
  bool more_backwards = false;
  for (size_t r = 0; r < v.rounds.size(); ++r) {
    v_foreign += v.rounds[r].foreign_tensors;
    more_backwards =
        more_backwards || (r < c.rounds.size() && v.rounds[r].backwards > c.rounds[r].backwards);
  }
  for (const RoundObservation &round : c.rounds) {
    c_foreign += round.foreign_tensors;
  }

  const double floor = negligible * whole_norm(c);
  StepComparison result;
  std::set<std::string> by_outcome[words.size()];
  const auto note = [&](ParameterOutcome one, Outcome outcome) {
    one.outcome = outcome;
    by_outcome[static_cast<size_t>(outcome)].insert(one.name);
    result.parameters.push_back(std::move(one));
  };
  size_t accumulating = 0;
  size_t differing = 0;
  for (const GradientObservation &right : c.gradients) {
    const GradientObservation *const mine = find(v, right);
    ParameterOutcome one{right.name, Outcome::benign, mine != nullptr && mine->defined,
                         mine != nullptr ? mine->norm : 0, right.norm};
    if (mine == nullptr) {
      // Registered in the corrected program alone: what the variant trains is another tensor. Or
      // the variant has fewer updates in this step.
      note(std::move(one), has_name(v, right.name) ? Outcome::wrong : Outcome::stale);
      continue;
    }
    if (skipped(v, right.round) && skipped(c, right.round)) {
      note(std::move(one), Outcome::benign);
      continue;
    }
    if (right.arrived() && !mine->arrived()) {
      // Note [Stale before undefined]
      // A gradient that went to a tensor of the same shape that the module does not own is missing
      // because the forward uses other weights than those registered: that is `stale`, and the
      // missing gradient a consequence. All other missing ones are `undefined`.
      if (foreign_leaves.count(right.name) != 0) {
        note(std::move(one), Outcome::stale);
      } else if (right.norm > floor || !mine->defined) {
        result.never_arrived = result.never_arrived || mine->defined;
        note(std::move(one), mine->defined ? Outcome::zero : Outcome::undefined);
      } else {
        note(std::move(one), Outcome::benign);
      }
      continue;
    }
    if (!right.defined || !mine->defined) {
      note(std::move(one), mine->arrived() && !mine->all_zero() ? Outcome::wrong : Outcome::benign);
      continue;
    }
    const bool matters = right.norm > floor;
    // What is noise in the corrected program already (a bias whose gradient cancels out in fp32, and
    // rounds to something in bf16) may as well be zero.
    const bool noise = tolerance.of(right.name) >= pure_noise;
    if (matters && !noise && mine->all_zero() && !right.all_zero()) {
      note(std::move(one), reduced(precision) && lost_to_precision(*mine, index, variant_fp32)
                               ? Outcome::underflow
                               : Outcome::zero);
      continue;
    }
    if (is_fp16(precision) && matters && lost_in_fp16(*mine) && !lost_in_fp16(right)) {
      note(std::move(one), Outcome::underflow);
      continue;
    }
    if (mine->non_finite > 0 || right.non_finite > 0) {
      note(std::move(one),
           (mine->non_finite > 0) == (right.non_finite > 0) ? Outcome::benign : Outcome::wrong);
      continue;
    }
    const double allowed = tolerance.of(right.name);
    if (mine->values.size() != right.values.size() ||
        distance(mine->values, right.values) >
            std::max(allowed * std::max(norm(mine->values), norm(right.values)), floor)) {
      ++differing;
      const GradientObservation *const before =
          index > 0 ? find(variant.steps[index - 1], right) : nullptr;
      if (accumulated(*mine, right, before, std::max(allowed, 1e-3))) {
        ++accumulating;
      }
      note(std::move(one), Outcome::wrong);
      continue;
    }
    note(std::move(one), Outcome::benign);
  }
  bool loss_differs = v.losses.size() != c.losses.size();
  for (size_t i = 0; !loss_differs && i < v.losses.size(); ++i) {
    loss_differs = relative_loss(v.losses[i], c.losses[i]) > tolerance.of("");
  }

  const auto at = [&](Outcome outcome) -> const std::set<std::string> & {
    return by_outcome[static_cast<size_t>(outcome)];
  };
  const bool differs = differing > 0 || loss_differs || !at(Outcome::wrong).empty();
  const auto decide = [&](Outcome outcome, std::string reason) {
    result.outcome = outcome;
    result.reason = std::move(reason);
  };
  // Those that are stale alone tell so: only gradients that differ are the ones accumulated.
  const auto rename_wrong = [&] {
    for (ParameterOutcome &one : result.parameters) {
      if (one.outcome == Outcome::wrong) {
        one.outcome = Outcome::stale;
      }
    }
  };
  if (!at(Outcome::undefined).empty()) {
    decide(Outcome::undefined, "no gradient reaches " + listed(at(Outcome::undefined)));
  } else if (!at(Outcome::zero).empty()) {
    decide(Outcome::zero, "the gradient of " + listed(at(Outcome::zero)) + " is zero");
  } else if (!at(Outcome::underflow).empty()) {
    decide(Outcome::underflow,
           "the gradient of " + listed(at(Outcome::underflow)) + " underflows in " + precision);
  } else if (!foreign_leaves.empty() && !at(Outcome::stale).empty()) {
    decide(Outcome::stale,
           "the forward uses other tensors than the registered " + listed(at(Outcome::stale)));
  } else if (!at(Outcome::stale).empty()) {
    decide(Outcome::stale, listed(at(Outcome::stale)) + " is no registered parameter");
  } else if (!unowned.empty() || !unstepped.empty() || v_foreign > c_foreign) {
    std::set<std::string> left = unowned;
    left.insert(unstepped.begin(), unstepped.end());
    for (ParameterOutcome &one : result.parameters) {
      if (left.count(one.name) != 0) {
        one.outcome = Outcome::stale;
      }
    }
    decide(Outcome::stale, left.empty() ? "the optimizer steps tensors that are not the module's"
                                        : "the optimizer does not step " + listed(left));
  } else if (differs && !leftover.empty()) {
    rename_wrong();
    decide(Outcome::stale, "the earlier gradient of " + listed(leftover) + " is still there");
  } else if (differs && !outdated.empty()) {
    rename_wrong();
    decide(Outcome::stale, "backward uses " + listed(outdated) + " as it was before the last step");
  } else if (differs && more_backwards && !loss_differs) {
    rename_wrong();
    decide(Outcome::stale, "one step accumulates several backwards");
  } else if (differing > 0 && accumulating == differing && !loss_differs) {
    rename_wrong();
    decide(Outcome::stale, "the gradient is the corrected one plus the earlier step's");
  } else if (differing > 0 || !at(Outcome::wrong).empty()) {
    decide(Outcome::wrong, "the gradient of " + listed(at(Outcome::wrong)) + " differs");
  } else if (loss_differs) {
    decide(Outcome::wrong, "the loss differs");
  }
  return result;
}

// How far a run came: a later phase of the same step is further.
int phase_rank(const std::string &phase) {
  const std::array<const char *, 4> order = {"construct", "forward", "backward", "step"};
  const auto it = std::find(order.begin(), order.end(), phase);
  return static_cast<int>(it - order.begin());
}

std::vector<ParameterOutcome> as_they_are(const ModelObservation &model) {
  std::vector<ParameterOutcome> result;
  if (!model.steps.empty()) {
    for (const GradientObservation &one : model.steps.back().gradients) {
      result.push_back({one.name, Outcome::benign, one.defined, one.norm, one.norm});
    }
  }
  return result;
}

} // namespace

std::string_view word(Outcome outcome) { return words[static_cast<size_t>(outcome)]; }

std::optional<Outcome> parse_outcome(std::string_view text) {
  const auto it = std::find(words.begin(), words.end(), text);
  if (it == words.end()) {
    return std::nullopt;
  }
  return static_cast<Outcome>(it - words.begin());
}

double Tolerance::of(const std::string &parameter) const {
  const auto it = noise.find(parameter);
  return it == noise.end() ? base : std::max(base, it->second);
}

double base_tolerance(const std::string &precision) {
  if (precision == "bf16") {
    return 2e-2;
  }
  return is_fp16(precision) ? 5e-3 : 1e-4;
}

std::map<std::string, double> distances(const ModelObservation &a, const ModelObservation &b) {
  std::map<std::string, double> result;
  const size_t steps = std::min(end_of(a), end_of(b));
  for (size_t i = 0; i < steps; ++i) {
    for (const GradientObservation &one : a.steps[i].gradients) {
      const GradientObservation *const other = find(b.steps[i], one);
      if (other == nullptr || other->values.size() != one.values.size() || one.non_finite > 0 ||
          other->non_finite > 0) {
        continue;
      }
      const double scale = std::max(norm(one.values), norm(other->values));
      const double far = scale > 0 ? distance(one.values, other->values) / scale : 0;
      result[one.name] = std::max(result[one.name], far);
    }
    for (size_t l = 0; l < std::min(a.steps[i].losses.size(), b.steps[i].losses.size()); ++l) {
      const double far = relative_loss(a.steps[i].losses[l], b.steps[i].losses[l]);
      if (std::isfinite(far)) {
        result[""] = std::max(result[""], far);
      }
    }
  }
  return result;
}

Tolerance calibrate(const std::string &precision, const ModelObservation &corrected,
                    const ModelObservation *corrected_again,
                    const ModelObservation *corrected_fp32) {
  Tolerance tolerance;
  tolerance.base = base_tolerance(precision);
  if (corrected_again != nullptr) {
    for (const auto &[name, far] : distances(corrected, *corrected_again)) {
      tolerance.noise[name] = std::max(tolerance.noise[name], 10 * far);
    }
  }
  if (reduced(precision) && corrected_fp32 != nullptr) {
    for (const auto &[name, far] : distances(corrected, *corrected_fp32)) {
      tolerance.noise[name] = std::max(tolerance.noise[name], std::min(0.5 * far, pure_noise));
    }
  }
  return tolerance;
}

Observed compare(const ModelObservation &variant, const ModelObservation &corrected,
                 const Tolerance &tolerance, const ModelObservation *variant_fp32,
                 const std::string &precision) {
  Observed observed;
  if (corrected.status == ModelObservation::Status::lost) {
    observed.reason = "the corrected program: " + corrected.lost_reason;
    return observed;
  }
  if (variant.status == ModelObservation::Status::lost) {
    observed.reason = variant.lost_reason;
    return observed;
  }
  const size_t v_end = end_of(variant);
  const size_t c_end = end_of(corrected);
  const bool v_threw = variant.status == ModelObservation::Status::threw;
  const bool c_threw = corrected.status == ModelObservation::Status::threw;
  for (size_t i = 0; i < std::min(v_end, c_end); ++i) {
    StepComparison step = compare_step(variant, corrected, i, tolerance, variant_fp32, precision);
    if (step.outcome != Outcome::benign) {
      observed.outcome = step.outcome;
      observed.reason = std::move(step.reason);
      observed.step = static_cast<int64_t>(i);
      observed.never_arrived = step.never_arrived;
      observed.parameters = std::move(step.parameters);
      return observed;
    }
  }
  if (v_threw) {
    const bool earlier = !c_threw || v_end < c_end ||
                         (v_end == c_end && phase_rank(variant.exception->phase) <
                                                phase_rank(corrected.exception->phase));
    if (earlier) {
      observed.outcome = Outcome::throws;
      observed.reason = told(*variant.exception);
      observed.step = static_cast<int64_t>(v_end);
      return observed;
    }
  }
  if (c_threw) {
    observed.reason =
        "the corrected program " + told(*corrected.exception) + " (not all defects are repaired)";
    return observed;
  }
  if (variant.steps.empty()) {
    observed.reason = "the model never calls torch_tidy::train, so no gradient was seen";
    return observed;
  }
  observed.outcome = Outcome::benign;
  observed.reason = "trains as the corrected program does";
  observed.parameters = as_they_are(variant);
  return observed;
}

} // namespace torch_tidy::confirm
