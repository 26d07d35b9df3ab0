// What was observed of a program in one run, as read from the record of its process (../record.h).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// A parameter's gradient as an optimizer was about to consume it.
struct GradientObservation {
  std::string name;
  int64_t round = 0; ///< 0 for the first update of the step that consumed it
  int64_t numel = 0;
  bool requires_grad = true;
  bool defined = false;
  bool reached = false; ///< the step's backward had a path to it
  int64_t zeros = 0;
  int64_t non_finite = 0;
  int64_t fp16_subnormal = 0; ///< as float16 met it, that is scaled
  double norm = 0;
  double max_abs = 0;
  std::vector<double> values; ///< all elements, or every n-th

  bool all_zero() const { return defined && zeros == numel; }
  /// It carries what backward computed, be it zero: not what zero_grad() left of an earlier step.
  bool arrived() const { return defined && (reached || zeros < numel); }
};

/// One update by an optimizer within a step.
struct RoundObservation {
  double scale = 1;
  bool skipped = false; ///< by the scaler, for inf or nan
  int64_t backwards = 0;
  int64_t foreign_tensors = 0; ///< held by the optimizer and no parameters of the module
};

struct StepObservation {
  int64_t training = 0;
  int64_t index = 0;
  bool cut_short = false; ///< by an exception
  std::vector<double> losses;
  std::vector<RoundObservation> rounds;
  std::vector<GradientObservation> gradients;
  std::set<std::string> leftover;       ///< held an earlier step's gradient when backward began
  std::set<std::string> outdated;       ///< backward went through uses older than the last update
  std::set<std::string> foreign_leaves; ///< not reached, while a stranger of its shape was
  std::set<std::string> unowned;        ///< trainable, and in no optimizer that stepped
  std::set<std::string> stepped;        ///< had a gradient when its optimizer stepped
  int64_t strays = 0; ///< leaves reached step after step that are no parameters and never stepped
};

/// The loss's derivative along one direction of a parameter, as the gradient says (`analytic`) and
/// as finite differences of the loss say (`numeric`): Note [Derivatives] in ../derivatives.cpp.
struct DerivativeObservation {
  std::string name;
  bool defined = false; ///< the gradient; undefined counts as 0
  double gradient_norm = 0;
  double analytic = 0;
  double numeric = 0;
  double uncertainty = 0; ///< of `numeric`
};

struct FrameObservation {
  std::string symbol;
  uint64_t address = 0; ///< relative to the program's file, as addr2line takes it
};

struct ExceptionObservation {
  std::string type;
  std::string message;
  std::string phase; ///< construct, forward, backward, step, after training
  int64_t step = -1;
  std::string node;                     ///< the operation backward failed in, from anomaly mode
  std::vector<FrameObservation> frames; ///< of the throw, innermost first; only the program's own
  std::vector<FrameObservation> forward_frames; ///< of the forward call of `node`
};

struct ModelObservation {
  enum class Status { finished, threw, lost };
  std::string model;
  Status status = Status::lost;
  std::string lost_reason; ///< why there is nothing: crashed, took too long, ...
  std::vector<StepObservation> steps;
  std::optional<ExceptionObservation> exception;
  std::vector<DerivativeObservation> derivatives; ///< where they were asked for
};

struct RunObservation {
  std::string libtorch;
  std::string device;
  std::string precision;
  std::string unavailable; ///< why this precision cannot run here; empty where it can
  std::string failure;     ///< why there is no observation at all; empty where there is
  std::vector<std::string> names;
  std::vector<ModelObservation> models;

  const ModelObservation *find(const std::string &model) const;
};

/// Reads a record. Does not throw: a damaged or missing one gives `failure`. Models that were begun
/// and not ended, and models that were not begun, are lost for `lost_reason`.
RunObservation read_record(const std::string &path, const std::string &lost_reason);

} // namespace torch_tidy::confirm
