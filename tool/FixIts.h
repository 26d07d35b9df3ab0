// Applies repairs to the user's files.
#pragma once

#include "Findings.h"

#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// Applies the edits of every report, byte for byte, and marks those reports as fixed. A report's
/// edits are applied together or not at all; where two reports overlap, the first wins and
/// Remarks says so. Files are replaced in one step, with their permissions kept. The error names
/// the file that could not be written; files before it have been.
llvm::Error applyFixes(std::vector<Report> &Reports, std::vector<std::string> &Remarks);

} // namespace torch_tidy::tool
