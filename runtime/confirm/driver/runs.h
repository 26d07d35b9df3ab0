// Runs built programs, each in its own process, and remembers what they did.
#pragma once

#include "build.h"
#include "observation.h"
#include "options.h"

#include <string>
#include <vector>

namespace torch_tidy::confirm {

struct RunRequest {
  std::string library; ///< as Builder made it
  std::string precision;
  int repetition = 0;       ///< runs that differ in nothing else are runs all the same
  bool derivatives = false; ///< fp32 alone: also the loss's derivatives by finite differences

  bool operator==(const RunRequest &other) const {
    return library == other.library && precision == other.precision &&
           repetition == other.repetition && derivatives == other.derivatives;
  }
};

/// Runs each, in order, or takes what the same run gave before. A model that crashes or hangs is
/// lost alone: those behind it in its program are run once more, each by itself. Does not throw for
/// what a program does.
std::vector<RunObservation> run_programs(const std::vector<RunRequest> &requests,
                                         const std::string &device, const Builder &builder,
                                         const Options &options);

} // namespace torch_tidy::confirm
