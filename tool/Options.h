// The command line of `check` and `explain`.
#pragma once

#include "Checking.h"

#include "llvm/Support/CommandLine.h"

namespace torch_tidy::tool {

extern llvm::cl::SubCommand Check, Confirm, Explain;

namespace options {
extern llvm::cl::opt<std::string> Format, Output, FailOn, Subject;

extern llvm::cl::opt<bool> AcceptIncomplete, Fix, Stats, Verbose, Explanations;
extern llvm::cl::opt<llvm::cl::boolOrDefault> Color;
} // namespace options

/// Parses the command line. Returns -1, or the exit status where it ends here (--help, a mistake).
int parseCommandLine(int Argc, const char **Argv);

/// What the options ask of the analysis.
CheckRequest checkRequest();

} // namespace torch_tidy::tool
