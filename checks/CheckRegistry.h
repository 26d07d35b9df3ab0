// The manifest of checks.cmake as a table: what clang-tidy registers, torch-tidy lists, `explain`
// prints and SARIF calls its rules.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace torch_tidy {

struct CheckInfo {
  llvm::StringLiteral Name;      ///< "torch-data-mutation"
  llvm::StringLiteral Precision; ///< very-high, high, medium or low
  llvm::StringLiteral Severity;  ///< error, warning or recommendation
  llvm::StringLiteral Summary;   ///< one sentence
  llvm::StringLiteral Page;      ///< Markdown, first line "# <Name>"
};

/// All checks, by name.
llvm::ArrayRef<CheckInfo> allChecks();

/// The check of that name, or nullptr.
const CheckInfo *findCheck(llvm::StringRef Name);

} // namespace torch_tidy
