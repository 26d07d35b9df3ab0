// Findings for people, as compilers print theirs.
#pragma once

#include "Findings.h"

#include "llvm/Support/raw_ostream.h"

namespace torch_tidy::tool {

struct TextOptions {
  bool Colors = false;
  bool Explain = false; ///< say after each finding what its outcome means for the training
};

/// "file:line:column: level: sentence [outcome] [check]", the source line, and the chain as notes.
/// Paths below the working directory are printed relative to it.
void printText(llvm::raw_ostream &Out, const std::vector<Report> &Reports,
               const TextOptions &Options);

/// What an outcome word means for the training, as one sentence.
llvm::StringRef meaning(model::Outcome Predicted);

/// The file's path as the user would write it from the working directory.
std::string displayPath(llvm::StringRef File);

} // namespace torch_tidy::tool
