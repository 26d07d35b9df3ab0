#include "locate.h"

namespace torch_tidy::confirm {

void locate(const Builder &builder, const std::string &library, const Runs &runs,
            Verdict &verdict) {
  for (const std::string &precision : verdict.precision) {
    const ModeObserved &mode = verdict.modes.at(precision);
    if (mode.observed.outcome != Outcome::throws || runs.count(precision) == 0) {
      continue;
    }
    const ModelObservation *const model = runs.at(precision).find(mode.model);
    if (model == nullptr || !model->exception) {
      continue;
    }
    const auto first_line = [&](const std::vector<FrameObservation> &frames) {
      for (const FrameObservation &frame : frames) {
        const std::string line = builder.source_line(library, frame.address);
        if (!line.empty() && line.find("/torch/") == std::string::npos &&
            line.find("/torch_tidy/") == std::string::npos &&
            line.find("/ATen/") == std::string::npos && line.find("/c++/") == std::string::npos) {
          return line;
        }
      }
      return std::string();
    };
    const ExceptionObservation &exception = *model->exception;
    verdict.where = {{"phase", exception.phase}, {"message", exception.message}};
    const auto add = [&](const char *key, const std::string &text) {
      if (!text.empty()) {
        verdict.where[key] = text;
      }
    };
    add("operation", exception.node);
    add("recorded", first_line(exception.forward_frames));
    add("thrown", first_line(exception.frames));
    return;
  }
}

} // namespace torch_tidy::confirm
