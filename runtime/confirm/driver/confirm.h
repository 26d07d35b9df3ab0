// What torch-tidy-confirm does, given findings or sources.
#pragma once

#include "build.h"
#include "findings.h"
#include "options.h"
#include "programs.h"
#include "verdict.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// Confirms the findings of a file: leave one out (ARCHITECTURE: "Confirmation").
class Confirmation {
public:
  /// Throws UserError for what is no findings file.
  Confirmation(const std::string &path, const Options &options, Builder &builder);

  /// Builds the corrected programs and those with one defect alone, runs them in every precision,
  /// and judges. Afterwards there is a verdict for every finding.
  void run();
  /// The findings file with the verdicts in it.
  std::string document();

  const std::vector<Finding> &findings() const { return file_.findings; }
  const std::vector<Verdict> &verdicts() const { return verdicts_; }

private:
  struct Case { // a program with its findings
    Program program;
    std::vector<size_t> findings;
    std::vector<size_t> chosen; ///< those whose fixes go together
    size_t corrected = 0;       ///< the variant with all of these
  };
  struct Meaning { // of a variant
    size_t of_case;
    std::optional<size_t> left_out; ///< none: the corrected program
  };

  void group();
  void build();
  void plan(size_t of_case);
  void give_up_broken_fixes(const std::vector<size_t> &broken);
  void observe();
  void observe_on(const std::string &device, const std::vector<size_t> &variants);
  void observe_on_the_cpu_what_asks_for_it();
  void judge_all();
  void judge_unfixed(size_t finding, const Case &of_case);
  bool unfixed(size_t finding) const {
    return findings()[finding].edits.empty() || unusable_.count(finding) != 0;
  }

  const Options &options_;
  Builder &builder_;
  Programs programs_;
  FindingsFile file_;
  std::vector<Verdict> verdicts_;
  std::map<size_t, std::string> unusable_; ///< finding -> why its fix cannot be left out
  std::vector<Case> cases_;
  std::vector<Variant> variants_;
  std::vector<Meaning> meaning_;                  ///< of each variant
  std::map<std::string, Runs> runs_;              ///< by library
  std::map<std::string, RunObservation> repeats_; ///< a second fp32 run of the corrected programs
  std::map<std::string, RunObservation> derivatives_; ///< of programs with findings without a fix
};

/// Runs a Confirmation, writes its document, and tells people. Returns the exit status.
int confirm_findings(const std::string &path, const Options &options, Builder &builder);

/// Without findings: how the registered models fare, parameter by parameter, precision by
/// precision. Returns the exit status.
int report_health(const Options &options, Builder &builder);

/// The precisions asked for, and fp32, the replay that underflow needs.
std::vector<std::string> with_fp32(const std::vector<std::string> &precisions);

/// Levels of findings, least first.
const std::vector<std::string> &levels();

} // namespace torch_tidy::confirm
