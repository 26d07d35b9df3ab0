// The way from a request to findings: group, read, filter, put in order. All commands share it.
#pragma once

#include "Findings.h"
#include "Programs.h"
#include "Sarif.h"

#include "llvm/Support/Error.h"

#include <set>
#include <string>
#include <vector>

namespace torch_tidy::tool {

struct CheckRequest {
  ProgramRequest Programs;
  model::AnalysisOptions Model;
  std::string Checks; ///< --checks: globs; empty: all
  unsigned Jobs = 0;  ///< programs read at a time; 0: as many as there are processors
};

struct CheckResult {
  std::vector<Report> Reports; ///< by file and line, each defect once
  unsigned Silenced = 0;
  model::Statistics Stats;
  std::vector<SourceGroup> Groups;
  std::vector<Notification> Notifications; ///< what could not be read, and what to hear once
  std::vector<std::string> Details;        ///< for --verbose
  size_t Sources = 0;
  bool Failed = false; ///< some source could not be read: exit status 2
  /// Sources that were understood only in part, for want of a header: that nothing was found in
  /// them does not mean that they are clean.
  size_t Incomplete = 0;
};

/// The error is one sentence for the user.
llvm::Expected<CheckResult> check(const CheckRequest &Request);

} // namespace torch_tidy::tool
