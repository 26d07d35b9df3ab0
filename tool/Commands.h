// The commands of torch-tidy. Each returns the process's exit status: 0 nothing to complain of, 1
// findings, 2 the tool could not do its work.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

int checkCommand();
int explainCommand();
/// Args are what stands after `confirm`: those of the check that may come first are taken, the rest
/// is handed on.
int confirmCommand(llvm::ArrayRef<const char *> Args, const char *Argv0);

/// Says what is wrong, as one sentence; returns 2.
int fail(llvm::StringRef Message);

} // namespace torch_tidy::tool
