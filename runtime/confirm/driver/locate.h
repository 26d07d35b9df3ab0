// Where in the source an observed exception comes from.
#pragma once

#include "build.h"
#include "verdict.h"

#include <string>

namespace torch_tidy::confirm {

/// Fills in verdict.where for the first precision that threw. `runs` are those of `library`.
void locate(const Builder &builder, const std::string &library, const Runs &runs, Verdict &verdict);

} // namespace torch_tidy::confirm
