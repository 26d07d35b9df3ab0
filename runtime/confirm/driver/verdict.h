// From observations to verdicts: leave one out (ARCHITECTURE: "Confirmation").
#pragma once

#include "findings.h"
#include "observation.h"
#include "outcome.h"

#include <map>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// One program's runs by precision: "fp32" is always there, as the replay that underflow needs.
using Runs = std::map<std::string, RunObservation>;

struct ModeObserved {
  Observed observed;
  std::string model;
};

struct Verdict {
  std::string verdict;  ///< confirmed, refuted or inconclusive
  std::string observed; ///< an outcome word; empty where nothing could be observed
  std::string reason;
  std::string device;
  std::string libtorch;
  std::vector<std::string> precision;        ///< modes run, in the order asked for
  std::map<std::string, ModeObserved> modes; ///< by precision
  /// For an exception: "operation" that backward failed in, the source line where the forward
  /// "recorded" it, and the one from which the exception was "thrown".
  std::map<std::string, std::string> where;
  std::map<std::string, std::string> not_available; ///< precision -> why it was not run
};

/// Verdict on a finding whose fix can be left out: `variant` against `corrected`, precision by
/// precision. `again` is a second run of the corrected program in fp32.
///
/// confirmed: what is predicted is observed in at least one precision. refuted: every precision
/// that could be judged shows something else; it speaks of the models that the program registers,
/// not of other callers. inconclusive: no precision could be judged, with the reason.
Verdict judge(const Finding &finding, const Runs &variant, const Runs &corrected,
              const RunObservation &again, const std::vector<std::string> &precisions);

/// Verdict on a finding without a fix. Nothing can be left out; `alone` are runs of the program
/// with all other defects repaired, `derivatives` its run in fp32 that measured them. It is
/// confirmed where those prove the predicted outcome by themselves (judge_alone, judge_stale,
/// judge_derivatives), and no other finding of the program without a fix predicts the same
/// (`rivals`): then nobody could say whose it is. It is refuted where `throws` was predicted as
/// definite and nothing throws. All else is inconclusive.
Verdict judge_without_fix(const Finding &finding, const Runs &alone,
                          const RunObservation &derivatives,
                          const std::vector<std::string> &precisions, bool rivals);

Verdict inconclusive(std::string reason);

/// properties.runtime of the result.
nlohmann::ordered_json to_json(const Verdict &verdict);

} // namespace torch_tidy::confirm
