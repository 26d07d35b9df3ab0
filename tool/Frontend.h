// Reads a program and has the model run it.
#pragma once

#include "Findings.h"
#include "Programs.h"

#include <string>
#include <vector>

namespace torch_tidy::tool {

/// What came of one program.
struct Reading {
  std::vector<Report> Reports; ///< those not silenced by NOLINT, in the model's order
  unsigned Silenced = 0;       ///< how many NOLINT silenced
  model::Statistics Stats;
  std::vector<std::string> Remarks; ///< full sentences for the user
  std::vector<std::string> Details; ///< full sentences for --verbose
  std::vector<ParseError> Errors;
  bool Analysed = false;   ///< false: nothing was understood (Errors or Crash say why)
  bool SawLibTorch = true; ///< false: LibTorch's own headers were not found
  std::string LibTorch = "no LibTorch"; ///< "LibTorch 2.15.0": whose headers were read
  std::string Crash;       ///< what happened when reading ended in a crash
  /// The sources as they were read together in the end.
  std::vector<std::vector<std::string>> ReadTogether;
};

/// Parses the sources of P as one translation unit, with the bodies of functions in LibTorch's and
/// the system's headers skipped (two thirds of the time), and analyses it. Sources that do not go
/// together (equal static names, a macro that breaks a later header) are taken out and read alone.
/// Does not throw; a crash of the analysis is caught and reported.
Reading readProgram(const Program &P, const model::AnalysisOptions &Options);

/// Adds what another program's analysis counted.
void addStatistics(model::Statistics &To, const model::Statistics &From);

} // namespace torch_tidy::tool
