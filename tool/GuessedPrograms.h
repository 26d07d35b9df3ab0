// Programs where no compile database tells them.
#pragma once

#include "Programs.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// The programs that these files belong to: by the targets of the project's CMakeLists.txt, else by
/// who defines what whom declares. Sources of the project that were not named come along for what
/// they define. Name, Sources, Asked and the flags for the project's own headers are set; the
/// compiler's and LibTorch's are the caller's.
std::vector<Program> guessPrograms(const std::vector<std::string> &Files);

} // namespace torch_tidy::tool
