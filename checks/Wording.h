// How a finding is worded, for every host alike.
#pragma once

#include "Finding.h"

#include <string>

namespace torch_tidy {

/// "in-place multiply overwrites a value saved for backward by relu [definite: throws]": hosts add
/// the level and the check's name.
inline std::string wording(const model::Finding &F) {
  return F.Message + " [" + std::string(autograd::word(F.How)) + ": " +
         std::string(autograd::word(F.Predicted)) + "]";
}

} // namespace torch_tidy
