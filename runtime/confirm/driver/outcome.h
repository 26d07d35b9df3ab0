// Which outcome a run shows: pure functions on observations.
#pragma once

#include "observation.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace torch_tidy::confirm {

/// The contract's words, worst first: this is the order in which a step's differences are judged.
enum class Outcome { throws, undefined, zero, underflow, stale, wrong, benign };

std::string_view word(Outcome outcome);
std::optional<Outcome> parse_outcome(std::string_view word);

/// How far two gradients (or losses) may differ, relative to the larger, before they count as
/// different.
struct Tolerance {
  /// 1e-4 in fp32; in bf16 and fp16 what rounding alone does to a rewritten expression (2e-2,
  /// 5e-3).
  double base = 1e-4;
  /// Per parameter, what the corrected program itself shows: from run to run, and against fp32.
  std::map<std::string, double> noise;

  double of(const std::string &parameter) const;
};

double base_tolerance(const std::string &precision);

/// The largest relative distance per parameter over the steps that both have ("" for the loss).
std::map<std::string, double> distances(const ModelObservation &a, const ModelObservation &b);

/// ten times the run-to-run distance, and half the distance to the fp32 run (at most 0.5).
Tolerance calibrate(const std::string &precision, const ModelObservation &corrected,
                    const ModelObservation *corrected_again,
                    const ModelObservation *corrected_fp32);

struct ParameterOutcome {
  std::string name;
  Outcome outcome = Outcome::benign;
  bool defined = false;
  double norm = 0;
  double corrected_norm = 0;
};

/// What one program does that another does not.
struct Observed {
  std::optional<Outcome> outcome; ///< none: could not be told, for `reason`
  std::string reason;             ///< a clause: what the outcome was seen in
  int64_t step = -1;              ///< the first step that differs
  /// On LibTorch before 2.0, zero_grad() leaves defined zeros: a gradient that never arrived reads
  /// zero, not undefined. Then this is set, and either word is right.
  bool never_arrived = false;
  std::vector<ParameterOutcome> parameters; ///< of that step (of the last, when benign)
};

/// Compares `variant` with `corrected`, both run in the same precision with the same seed.
/// `variant_fp32` is the variant's fp32 run for a reduced precision (nullptr in fp32): a gradient
/// that is zero, or all below float16's normal range, but not there, is lost to underflow.
///
/// The first step that differs decides, since all later ones start from different weights; in it
/// the first outcome in the order of the enumeration. Two exceptions from that order, see Note
/// [Stale before undefined] in outcome.cpp.
Observed compare(const ModelObservation &variant, const ModelObservation &corrected,
                 const Tolerance &tolerance, const ModelObservation *variant_fp32,
                 const std::string &precision);

/// What a run proves on its own, without a corrected program to compare with: an exception;
/// trainable parameters without any gradient, or with none but zeros, in every step; an optimizer
/// that holds other tensors than the module.
Observed judge_alone(const ModelObservation &model, const ModelObservation *fp32,
                     const std::string &precision);

/// Of a prediction of `stale`, what proves it without comparison: a backward through uses that are
/// older than the last update, gradients still there after the update that consumed them, weights
/// that no optimizer steps. None of these is a defect in every program (a frozen layer is in no
/// optimizer either), hence they are evidence for a prediction and no finding of their own.
/// No outcome where there is none of it.
Observed judge_stale(const ModelObservation &model);

/// What the derivatives prove: a gradient that is not the loss's derivative is `wrong`, or
/// `undefined` or `zero` where it is that. No outcome where all agree, or none is certain enough.
Observed judge_derivatives(const ModelObservation &model);

} // namespace torch_tidy::confirm
