// The findings file: SARIF 2.1.0.
#pragma once

#include "Findings.h"

#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// Sources that were read together and how they are compiled: what `torch-tidy confirm` needs to
/// build the program again. In the run's properties, `sources` lists each group's files, relative
/// to the working directory, and `programs` has the compiler's directory and flags as well.
struct SourceGroup {
  std::vector<std::string> Files;    ///< absolute
  std::string Directory;             ///< in which the compiler runs
  std::vector<std::string> Compiler; ///< argument 0 and flags
};

struct Notification {
  enum class Level { Note, Warning, Error } How = Level::Note;
  std::string Message;
  Place At; ///< may be invalid
  enum class Kind { Other, MissingHeaders, DoesNotParse } About = Kind::Other;
  std::vector<std::string> Missing; ///< headers that were not found
};

struct SarifRun {
  int ExitCode = 0;
  std::vector<Notification> Notifications;
  std::vector<SourceGroup> Groups;
};

/// Writes one run. Paths below the working directory are relative to %SRCROOT%; columns count
/// Unicode code points.
void writeSarif(llvm::raw_ostream &Out, const std::vector<Report> &Reports, const SarifRun &Run);

} // namespace torch_tidy::tool
