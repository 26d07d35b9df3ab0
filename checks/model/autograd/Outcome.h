// The words for what a defect does to training; fixed by the product's contract.
#pragma once

#include <string_view>

namespace torch_tidy::autograd {

enum class Outcome {
  Throws,    ///< the operation itself or backward() raises
  Undefined, ///< a parameter that should get a gradient has an undefined .grad()
  Zero,      ///< that gradient is defined but all zero
  Underflow, ///< zero or subnormal only in reduced precision (observed at run time only)
  Wrong,     ///< a gradient, or a forward value that feeds the loss, silently differs
  Stale,     ///< other or old weights are stepped or used, or gradients accumulate unintentionally
  Benign,    ///< looks suspicious, trains exactly like the corrected program
};

enum class Certainty {
  Definite, ///< on every path that reaches backward: reported as error
  Possible, ///< on some path, or depending on a caller: reported as warning
};

constexpr std::string_view word(Outcome O) {
  switch (O) {
  case Outcome::Throws:
    return "throws";
  case Outcome::Undefined:
    return "undefined";
  case Outcome::Zero:
    return "zero";
  case Outcome::Underflow:
    return "underflow";
  case Outcome::Wrong:
    return "wrong";
  case Outcome::Stale:
    return "stale";
  case Outcome::Benign:
    return "benign";
  }
  return "";
}

constexpr std::string_view word(Certainty C) {
  return C == Certainty::Definite ? "definite" : "possible";
}

} // namespace torch_tidy::autograd
