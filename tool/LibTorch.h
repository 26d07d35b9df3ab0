// Where LibTorch's headers are, for sources that no compile database speaks of.
#pragma once

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

struct LibTorch {
  std::string Root;                     ///< as found, for messages
  std::vector<std::string> IncludeDirs; ///< absolute
  std::string Version;                  ///< "2.15.0"
  std::string Standard;                 ///< the oldest -std= that both its headers and we accept

  /// Include directories and standard as compiler flags.
  std::vector<std::string> flags() const;
};

/// The LibTorch in Chosen: a pip package, an unpacked archive, an installation prefix, or the
/// folder of its CMake package. With Chosen empty, the first of CMAKE_PREFIX_PATH, Torch_DIR,
/// Python's torch, torch-tidy's own cache folder, and the system's. The error says what was tried.
llvm::Expected<LibTorch> findLibTorch(llvm::StringRef Chosen);

} // namespace torch_tidy::tool
