// A light reading of sources, for grouping them before any is parsed.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <set>
#include <string>
#include <vector>

namespace torch_tidy::tool {

struct Include {
  std::string Name;
  bool Angled = false; ///< <name> rather than "name"
};

struct SourceScan {
  bool DefinesMain = false;
  std::vector<Include> Includes;
  /// Functions with external linkage, without namespaces: "train", "Net::forward", "Net::Net".
  std::set<std::string> Declares; ///< declared without a body
  std::set<std::string> Defines;  ///< with one
};

/// Directives, and what is declared and defined at the level of namespaces and classes, by Clang's
/// raw lexer: comments, strings and raw strings are not mistaken for code; conditional compilation
/// is not evaluated, macros are not expanded. A hint, not a parse.
SourceScan scanSource(llvm::StringRef Text);

} // namespace torch_tidy::tool
