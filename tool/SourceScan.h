// A light reading of sources, for grouping them before any is parsed.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <set>
#include <string>
#include <vector>

namespace torch_tidy::tool {

struct SourceScan {
  bool DefinesMain = false;
  std::vector<std::string> Includes; ///< names in #include "..." directives
};

/// Directives and a definition of main, by Clang's raw lexer: comments, strings and raw strings are
/// not mistaken for code; conditional compilation is not evaluated.
SourceScan scanSource(llvm::StringRef Text);

/// Units (sources that are compiled into one target, or single sources) put together as they would
/// be linked.
struct Linked {
  std::vector<std::vector<size_t>> Groups;  ///< of indices into the units; one may be in several
  std::vector<std::set<std::string>> Reach; ///< project headers that each unit includes
  /// Folders, besides the including file's own, in which quoted headers were found.
  std::vector<std::string> IncludeDirs;
};

/// Two units go together when they include a common project header, directly or through others (who
/// defines what whom declares); each main has a group of its own.
Linked linkUnits(const std::vector<std::vector<std::string>> &Units);

} // namespace torch_tidy::tool
