// What a run proves without a corrected one to compare it with.
#include "outcome.h"

#include "outcome_parts.h"

#include <algorithm>
#include <cmath>

namespace torch_tidy::confirm {

Observed judge_alone(const ModelObservation &model, const ModelObservation *fp32,
                     const std::string &precision) {
  Observed observed;
  if (model.status == ModelObservation::Status::lost) {
    observed.reason = model.lost_reason;
    return observed;
  }
  if (model.status == ModelObservation::Status::threw) {
    observed.outcome = Outcome::throws;
    observed.reason = told(*model.exception);
    observed.step = static_cast<int64_t>(end_of(model));
    return observed;
  }
  if (model.steps.empty()) {
    observed.reason = "the model never calls torch_tidy::train, so no gradient was seen";
    return observed;
  }
  // Per parameter over all steps: a gradient that is there once is no defect.
  struct Seen {
    bool arrived = false;
    bool nonzero = false;
    bool normal = false; // more than float16's remains
    bool fp32_nonzero = false;
    double norm = 0;
  };
  std::map<std::string, Seen> seen;
  std::set<std::string> unowned;
  int64_t foreign = 0;
  for (size_t i = 0; i < model.steps.size(); ++i) {
    const StepObservation &step = model.steps[i];
    for (const GradientObservation &one : step.gradients) {
      if (!one.requires_grad) {
        continue;
      }
      Seen &all = seen[one.name];
      all.arrived = all.arrived || one.arrived();
      all.nonzero = all.nonzero || (one.defined && !one.all_zero());
      all.normal = all.normal || (one.defined && !lost_in_fp16(one));
      all.fp32_nonzero = all.fp32_nonzero || lost_to_precision(one, i, fp32);
      all.norm = std::max(all.norm, one.norm);
    }
    unowned.insert(step.unowned.begin(), step.unowned.end());
    for (const RoundObservation &round : step.rounds) {
      foreign += round.foreign_tensors;
    }
  }
  std::set<std::string> by_outcome[static_cast<size_t>(Outcome::benign) + 1];
  for (const auto &[name, all] : seen) {
    Outcome outcome = Outcome::benign;
    if (!all.arrived) {
      outcome = Outcome::undefined;
    } else if (!all.nonzero) {
      outcome = reduced(precision) && all.fp32_nonzero ? Outcome::underflow : Outcome::zero;
    } else if (is_fp16(precision) && !all.normal && all.fp32_nonzero) {
      outcome = Outcome::underflow;
    } else if (unowned.count(name) != 0 && foreign > 0) {
      outcome = Outcome::stale;
    }
    by_outcome[static_cast<size_t>(outcome)].insert(name);
    observed.parameters.push_back({name, outcome, all.arrived, all.norm, all.norm});
  }
  observed.outcome = Outcome::benign;
  observed.reason = "every trainable parameter has a gradient";
  for (const Outcome outcome : {Outcome::undefined, Outcome::zero, Outcome::underflow}) {
    const auto &names = by_outcome[static_cast<size_t>(outcome)];
    if (!names.empty()) {
      observed.outcome = outcome;
      observed.reason = (outcome == Outcome::undefined ? "no gradient reaches "
                         : outcome == Outcome::zero    ? "zero in every step: the gradient of "
                                                       : "underflows: the gradient of ") +
                        listed(names);
      return observed;
    }
  }
  if (foreign > 0) {
    observed.outcome = Outcome::stale;
    observed.reason = "the optimizer steps tensors that are not the module's";
  }
  return observed;
}

Observed judge_stale(const ModelObservation &model) {
  Observed observed;
  if (model.status == ModelObservation::Status::lost) {
    observed.reason = model.lost_reason;
    return observed;
  }
  std::set<std::string> outdated;
  std::set<std::string> leftover;
  std::set<std::string> unowned;
  std::set<std::string> foreign_leaves;
  int64_t strays = 0;
  for (const StepObservation &step : model.steps) {
    outdated.insert(step.outdated.begin(), step.outdated.end());
    leftover.insert(step.leftover.begin(), step.leftover.end());
    unowned.insert(step.unowned.begin(), step.unowned.end());
    foreign_leaves.insert(step.foreign_leaves.begin(), step.foreign_leaves.end());
    strays = std::max(strays, step.strays);
  }
  std::set<std::string> names;
  const auto decide = [&](const std::set<std::string> &of, const std::string &reason) {
    if (!observed.outcome) {
      observed.outcome = Outcome::stale;
      observed.reason = reason;
      names = of;
    }
  };
  if (!outdated.empty()) {
    decide(outdated, "backward uses " + listed(outdated) + " as it was before the last step");
  }
  if (!foreign_leaves.empty()) {
    decide(foreign_leaves,
           "the forward uses other tensors than the registered " + listed(foreign_leaves));
  }
  if (strays > 0) {
    decide({}, "the forward uses weights that are no parameters of the module, and no optimizer "
               "steps them");
  }
  if (!leftover.empty()) {
    decide(leftover, "the earlier gradient of " + listed(leftover) + " is still there");
  }
  if (!unowned.empty()) {
    decide(unowned, "the optimizer does not step " + listed(unowned));
  }
  if (observed.outcome && !model.steps.empty()) {
    for (const GradientObservation &one : model.steps.back().gradients) {
      observed.parameters.push_back({one.name,
                                     names.count(one.name) != 0 ? Outcome::stale : Outcome::benign,
                                     one.defined, one.norm, one.norm});
    }
  }
  return observed;
}

Observed judge_derivatives(const ModelObservation &model) {
  // What may be between the two as a share of the larger, and as a multiple of the uncertainty.
  // Right gradients were measured to agree to 1e-5 and well within the uncertainty.
  constexpr double allowed = 0.01;
  constexpr double certain = 8;
  Observed observed;
  std::set<std::string> by_outcome[static_cast<size_t>(Outcome::benign) + 1];
  for (const DerivativeObservation &one : model.derivatives) {
    const double scale =
        std::max({std::abs(one.analytic), std::abs(one.numeric), one.gradient_norm * 0.5});
    const bool differs =
        std::abs(one.analytic - one.numeric) > std::max(allowed * scale, certain * one.uncertainty);
    const Outcome outcome = !differs                 ? Outcome::benign
                            : !one.defined           ? Outcome::undefined
                            : one.gradient_norm == 0 ? Outcome::zero
                                                     : Outcome::wrong;
    by_outcome[static_cast<size_t>(outcome)].insert(one.name);
    observed.parameters.push_back(
        {one.name, outcome, one.defined, one.gradient_norm, std::abs(one.numeric)});
  }
  for (const Outcome outcome : {Outcome::undefined, Outcome::zero, Outcome::wrong}) {
    const auto &names = by_outcome[static_cast<size_t>(outcome)];
    if (!names.empty()) {
      observed.outcome = outcome;
      observed.reason = "the loss depends on " + listed(names) + ", and the gradient is " +
                        (outcome == Outcome::wrong  ? "not its derivative"
                         : outcome == Outcome::zero ? "zero"
                                                    : "undefined") +
                        " (by finite differences)";
      observed.step = 0;
      return observed;
    }
  }
  observed.parameters.clear();
  observed.reason = model.derivatives.empty() ? "no derivative could be measured"
                                              : "every gradient is the loss's derivative";
  return observed;
}

} // namespace torch_tidy::confirm
