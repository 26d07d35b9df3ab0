// Which sources belong together, and how each is compiled.
#pragma once

#include "clang/Tooling/CompilationDatabase.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>
#include <vector>

namespace torch_tidy::tool {

/// Sources that end in one executable or library, read together as a unity build would. A program
/// is more than a file: the model is in one source and the training loop in another more often than
/// not, and neither shows the defect alone.
struct Program {
  std::string Name;                  ///< for messages: the target, or the first source
  std::vector<std::string> Sources;  ///< absolute
  std::string Directory;             ///< in which the compiler runs
  std::vector<std::string> Compiler; ///< argument 0 and flags, without sources and outputs
  /// Sources the user asked about. The others are there for what they define; findings in them are
  /// somebody else's question.
  std::vector<std::string> Asked;
};

struct ProgramRequest {
  std::vector<std::string> Inputs; ///< files and folders as given; empty: the whole database
  std::string BuildPath;           ///< -p; empty: looked for beside and above the inputs
  std::string Torch;               ///< --torch
  std::vector<std::string> ExtraArgs, ExtraArgsBefore;
  /// From `-- FLAGS`; replaces any database.
  std::unique_ptr<clang::tooling::CompilationDatabase> Fixed;
};

/// The programs of a request in a stable order. The error is one sentence for the user.
llvm::Expected<std::vector<Program>> findPrograms(const ProgramRequest &Request);

/// Whether a file name is that of a C++ source (not of a header).
bool isSource(llvm::StringRef File);

} // namespace torch_tidy::tool
