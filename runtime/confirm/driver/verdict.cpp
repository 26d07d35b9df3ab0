#include "verdict.h"

#include <algorithm>
#include <cmath>

namespace torch_tidy::confirm {
namespace {

// Gradients of the same program with the same seed that differ by more than this cannot be
// compared.
constexpr double not_repeatable = 0.1;

const RunObservation *find(const Runs &runs, const std::string &precision) {
  const auto it = runs.find(precision);
  return it == runs.end() ? nullptr : &it->second;
}

// LibTorch before 2.0 keeps defined zeros where later ones have no gradient: see Observed.
bool matches(const Observed &observed, Outcome predicted) {
  return observed.outcome && (*observed.outcome == predicted ||
                              (observed.never_arrived && predicted == Outcome::undefined &&
                               *observed.outcome == Outcome::zero));
}

// The one of several models that tells most about the finding: as predicted, else the worst.
bool tells_more(const Observed &a, const Observed &b, std::optional<Outcome> predicted) {
  if (a.outcome.has_value() != b.outcome.has_value()) {
    // Benign in one model says little while another could not be judged.
    return a.outcome.has_value() ? *a.outcome != Outcome::benign : *b.outcome == Outcome::benign;
  }
  if (!a.outcome) {
    return false;
  }
  if (predicted && matches(a, *predicted) != matches(b, *predicted)) {
    return matches(a, *predicted);
  }
  return *a.outcome < *b.outcome;
}

void set_frame(const RunObservation &run, Verdict &verdict) {
  verdict.device = run.device;
  verdict.libtorch = run.libtorch;
}

void decide(const Finding &finding, Verdict &verdict) {
  const std::optional<Outcome> predicted = parse_outcome(finding.predicted);
  std::string agreeing;
  const Observed *first = nullptr;
  std::string why_not;
  for (const std::string &precision : verdict.precision) {
    const Observed &observed = verdict.modes.at(precision).observed;
    if (!observed.outcome) {
      why_not = why_not.empty() ? observed.reason : why_not;
      continue;
    }
    if (predicted && matches(observed, *predicted)) {
      if (agreeing.empty()) {
        first = &observed;
      }
      agreeing += (agreeing.empty() ? "" : ", ") + precision;
    } else if (first == nullptr) {
      first = &observed;
    }
  }
  if (first == nullptr) {
    verdict.verdict = "inconclusive";
    verdict.reason = why_not.empty() ? "no precision could be run" : why_not;
    if (why_not.empty() && !verdict.not_available.empty()) {
      verdict.reason += ": " + verdict.not_available.begin()->second;
    }
    return;
  }
  verdict.observed = word(*first->outcome);
  if (!predicted) {
    verdict.verdict = "inconclusive";
    verdict.reason = finding.predicted.empty()
                         ? "the finding predicts no outcome (properties.outcome)"
                         : "'" + finding.predicted + "' is no outcome";
    return;
  }
  verdict.verdict = agreeing.empty() ? "refuted" : "confirmed";
  if (!agreeing.empty()) {
    verdict.observed = finding.predicted;
  }
  verdict.reason = (agreeing.empty() ? "" : "in " + agreeing + ": ") + first->reason;
}

} // namespace

Verdict inconclusive(std::string reason) {
  Verdict verdict;
  verdict.verdict = "inconclusive";
  verdict.reason = std::move(reason);
  return verdict;
}

Verdict judge(const Finding &finding, const Runs &variant, const Runs &corrected,
              const RunObservation &again, const std::vector<std::string> &precisions) {
  Verdict verdict;
  const std::optional<Outcome> predicted = parse_outcome(finding.predicted);
  const RunObservation *const variant_fp32 = find(variant, "fp32");
  const RunObservation *const corrected_fp32 = find(corrected, "fp32");
  for (const std::string &precision : precisions) {
    const RunObservation *const mine = find(variant, precision);
    const RunObservation *const right = find(corrected, precision);
    if (mine == nullptr || right == nullptr) {
      continue;
    }
    if (!right->unavailable.empty()) {
      verdict.not_available[precision] = right->unavailable;
      set_frame(*right, verdict);
      continue;
    }
    verdict.precision.push_back(precision);
    ModeObserved &mode = verdict.modes[precision];
    if (!right->failure.empty() || !mine->failure.empty()) {
      mode.observed.reason = !right->failure.empty()
                                 ? "the corrected program: " + right->failure
                                 : "the program with this defect alone: " + mine->failure;
      continue;
    }
    set_frame(*mine, verdict);
    bool any = false;
    for (const ModelObservation &model : right->models) {
      const ModelObservation *const changed = mine->find(model.model);
      Observed observed;
      if (changed == nullptr) {
        observed.reason = "the model " + model.model + " is not in the program with this defect";
      } else {
        const ModelObservation *const fp32 =
            corrected_fp32 != nullptr ? corrected_fp32->find(model.model) : nullptr;
        const ModelObservation *const repeated = again.find(model.model);
        std::map<std::string, double> noise;
        if (fp32 != nullptr && repeated != nullptr) {
          noise = distances(*fp32, *repeated);
        }
        Tolerance tolerance = calibrate(precision, model, nullptr, fp32);
        bool repeatable = true;
        for (const auto &[name, far] : noise) {
          tolerance.noise[name] = std::max(tolerance.noise[name], 10 * far);
          repeatable = repeatable && far <= not_repeatable;
        }
        observed =
            compare(*changed, model, tolerance,
                    precision != "fp32" && variant_fp32 != nullptr ? variant_fp32->find(model.model)
                                                                   : nullptr,
                    precision);
        if (!repeatable && observed.outcome && *observed.outcome >= Outcome::stale) {
          observed.outcome.reset();
          observed.reason =
              "two runs of the corrected program with the same seed differ, so nothing "
              "can be compared (random numbers not of LibTorch's generator?)";
        }
      }
      if (!any || tells_more(observed, mode.observed, predicted)) {
        mode = {std::move(observed), model.model};
      }
      any = true;
    }
  }
  decide(finding, verdict);
  return verdict;
}

Verdict judge_without_fix(const Finding &finding, const Runs &alone,
                          const RunObservation &derivatives,
                          const std::vector<std::string> &precisions, bool rivals) {
  Verdict verdict;
  const std::optional<Outcome> predicted = parse_outcome(finding.predicted);
  const RunObservation *const fp32 = find(alone, "fp32");
  for (const std::string &precision : precisions) {
    const RunObservation *const run = find(alone, precision);
    if (run == nullptr) {
      continue;
    }
    if (!run->unavailable.empty()) {
      verdict.not_available[precision] = run->unavailable;
      set_frame(*run, verdict);
      continue;
    }
    verdict.precision.push_back(precision);
    ModeObserved &mode = verdict.modes[precision];
    if (!run->failure.empty()) {
      mode.observed.reason = run->failure;
      continue;
    }
    set_frame(*run, verdict);
    bool any = false;
    for (const ModelObservation &model : run->models) {
      Observed observed = judge_alone(
          model, precision != "fp32" && fp32 != nullptr ? fp32->find(model.model) : nullptr,
          precision);
      if (predicted && !matches(observed, *predicted)) {
        const ModelObservation *const measured =
            precision == "fp32" ? derivatives.find(model.model) : nullptr;
        Observed proof = *predicted == Outcome::stale ? judge_stale(model)
                         : measured != nullptr        ? judge_derivatives(*measured)
                                                      : Observed();
        if (matches(proof, *predicted)) {
          observed = std::move(proof);
        } else if (observed.outcome == Outcome::benign && *predicted != Outcome::throws) {
          // Gradients are there; whether they are the right ones, this run does not say.
          observed.outcome.reset();
          observed.reason =
              "it has no fix to leave out, and the program's runs alone do not prove it" +
              (proof.reason.empty() ? "" : " (" + proof.reason + ")");
        }
      }
      if (!any || tells_more(observed, mode.observed, predicted)) {
        mode = {std::move(observed), model.model};
      }
      any = true;
    }
  }
  // Where it raises in one precision and not in another, what it does there is not known.
  const bool raises =
      std::any_of(verdict.modes.begin(), verdict.modes.end(), [](const auto &mode) {
        return mode.second.observed.outcome == Outcome::throws;
      });
  for (auto &[precision, mode] : verdict.modes) {
    if (raises && mode.observed.outcome && mode.observed.outcome != Outcome::throws) {
      mode.observed = Observed();
      mode.observed.reason = "it does not raise in " + precision +
                             "; what it does instead cannot be told without a fix to leave out";
    }
  }
  decide(finding, verdict);
  if (verdict.verdict == "confirmed" && rivals) {
    verdict.verdict = "inconclusive";
    verdict.reason =
        "observed, but another finding without a fix predicts the same for this program";
  } else if (verdict.verdict == "refuted" &&
             !(predicted == Outcome::throws && finding.certainty == "definite" &&
               verdict.observed == "benign")) {
    verdict.verdict = "inconclusive";
    verdict.observed.clear();
    verdict.reason = "it has no fix to leave out, and the program's runs alone do not prove it";
  } else if (verdict.verdict == "confirmed" && predicted == Outcome::benign) {
    verdict.verdict = "inconclusive";
    verdict.observed.clear();
    verdict.reason = "it has no fix to compare with";
  }
  return verdict;
}

nlohmann::ordered_json to_json(const Verdict &verdict) {
  using json = nlohmann::ordered_json;
  json result = {{"verdict", verdict.verdict}};
  if (!verdict.observed.empty()) {
    result["observed"] = verdict.observed;
  }
  result["reason"] = verdict.reason;
  if (!verdict.device.empty()) {
    result["device"] = verdict.device;
    result["libtorch"] = verdict.libtorch;
  }
  result["precision"] = verdict.precision;
  json outcomes = json::object();
  std::map<std::string, json> parameters;
  std::vector<std::string> order;
  for (const std::string &precision : verdict.precision) {
    const ModeObserved &mode = verdict.modes.at(precision);
    json one = {{"outcome", mode.observed.outcome ? json(word(*mode.observed.outcome)) : json()},
                {"reason", mode.observed.reason}};
    if (!mode.model.empty()) {
      one["model"] = mode.model;
    }
    if (mode.observed.step >= 0) {
      one["step"] = mode.observed.step;
    }
    outcomes[precision] = std::move(one);
    for (const ParameterOutcome &parameter : mode.observed.parameters) {
      if (parameters.count(parameter.name) == 0) {
        order.push_back(parameter.name);
        parameters[parameter.name] = {{"name", parameter.name}};
      }
      const auto finite = [](double value) { return std::isfinite(value) ? json(value) : json(); };
      parameters[parameter.name][precision] = {{"outcome", word(parameter.outcome)},
                                               {"defined", parameter.defined},
                                               {"norm", finite(parameter.norm)},
                                               {"correctedNorm", finite(parameter.corrected_norm)}};
    }
  }
  result["outcomes"] = std::move(outcomes);
  if (!verdict.where.empty()) {
    result["where"] = verdict.where;
  }
  if (!verdict.not_available.empty()) {
    result["notAvailable"] = verdict.not_available;
  }
  json list = json::array();
  for (const std::string &name : order) {
    list.push_back(std::move(parameters[name]));
  }
  result["parameters"] = std::move(list);
  return result;
}

} // namespace torch_tidy::confirm
