// What CMakeLists.txt files say in plain words about targets.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

struct BuildTarget {
  std::string Name;
  bool Executable = false;
  bool Complete = true; ///< false: some sources stand in a variable that could not be read
  std::vector<std::string> Sources;     ///< absolute, existing C++ sources
  std::vector<std::string> IncludeDirs; ///< absolute, existing
  std::vector<std::string> Definitions; ///< NAME or NAME=VALUE, given without condition
  std::vector<std::string> Links;       ///< names of targets and libraries
};

/// Reads the lists of a project without running CMake: literal words, variables that were set to
/// such, globs, foreach, add_subdirectory. Both sides of every if() are read (but no definition is
/// taken from there); functions and macros are not called. What is not understood is left out: a
/// hint, not a build.
std::vector<BuildTarget> readCMakeLists(const std::vector<std::string> &Lists);

} // namespace torch_tidy::tool
