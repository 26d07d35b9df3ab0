#include "outcome_parts.h"

namespace torch_tidy::confirm {

bool reduced(const std::string &precision) { return precision != "fp32"; }
bool is_fp16(const std::string &precision) { return precision.rfind("fp16", 0) == 0; }

const GradientObservation *find(const StepObservation &step, const GradientObservation &like) {
  for (const GradientObservation &one : step.gradients) {
    if (one.name == like.name && one.round == like.round) {
      return &one;
    }
  }
  return nullptr;
}

bool lost_in_fp16(const GradientObservation &one) {
  return one.defined && one.numel > 0 && one.zeros + one.fp16_subnormal == one.numel;
}

bool lost_to_precision(const GradientObservation &one, size_t step,
                       const ModelObservation *fp32_run) {
  if (fp32_run == nullptr || step >= fp32_run->steps.size()) {
    return false;
  }
  const GradientObservation *const there = find(fp32_run->steps[step], one);
  return there != nullptr && there->arrived() && !there->all_zero();
}

size_t end_of(const ModelObservation &model) {
  if (model.status != ModelObservation::Status::threw) {
    return model.steps.size();
  }
  return !model.steps.empty() && model.steps.back().cut_short ? model.steps.size() - 1
                                                              : model.steps.size();
}

std::string told(const ExceptionObservation &exception) {
  std::string first = exception.message.substr(0, exception.message.find('\n'));
  if (first.size() > 160) {
    first = first.substr(0, 157) + "...";
  }
  return "throws in " + exception.phase +
         (exception.step >= 0 ? " of step " + std::to_string(exception.step) : "") + ": " + first;
}

std::string listed(const std::set<std::string> &names) {
  std::string text;
  size_t count = 0;
  for (const std::string &name : names) {
    if (++count > 3) {
      return text + " and " + std::to_string(names.size() - 3) + " more";
    }
    text += (count > 1 ? ", " : "") + name;
  }
  return text;
}

} // namespace torch_tidy::confirm
