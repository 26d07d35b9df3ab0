// What comparing runs and judging one alone share.
#pragma once

#include "observation.h"

#include <set>
#include <string>

namespace torch_tidy::confirm {

bool reduced(const std::string &precision);
bool is_fp16(const std::string &precision);

/// The gradient of the same parameter in the same round; nullptr where `step` has none.
const GradientObservation *find(const StepObservation &step, const GradientObservation &like);

/// Zero, or so small that float16 holds only remains of it.
bool lost_in_fp16(const GradientObservation &one);

/// Is it there in the fp32 run of the same program (nullptr: not known, no)?
bool lost_to_precision(const GradientObservation &one, size_t step,
                       const ModelObservation *fp32_run);

/// Position of the step in which a run ended by an exception; steps.size() when between steps.
size_t end_of(const ModelObservation &model);

/// "throws in backward of step 0: ..."
std::string told(const ExceptionObservation &exception);

/// "a, b, c and 4 more"
std::string listed(const std::set<std::string> &names);

} // namespace torch_tidy::confirm
