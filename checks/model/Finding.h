// What the model says about a program: the one structure that every host (clang-tidy plugin,
// torch-tidy, editor server) words for its reader.
#pragma once

#include "clang/Basic/Diagnostic.h"
#include "clang/Basic/SourceLocation.h"
#include "llvm/ADT/StringRef.h"

#include "autograd/Outcome.h"

#include <map>
#include <string>
#include <vector>

namespace clang {
class ASTContext;
} // namespace clang

namespace torch_tidy::model {

using autograd::Certainty;
using autograd::Outcome;

/// One step of the chain that explains a finding, in program order: where the tensor came from,
/// which operation saved it, where it was written, where backward runs.
struct ChainStep {
  clang::SourceLocation Loc;
  std::string Message; ///< a short clause: "saved for backward by relu here"
};

struct Finding {
  std::string Check; ///< the check that owns it: "torch-inplace-autograd"
  Outcome Predicted = Outcome::Wrong;
  Certainty How = Certainty::Possible;
  /// The one line whose change repairs the defect (never inside LibTorch; in a macro: the
  /// expansion).
  clang::SourceLocation Loc;
  std::string Message; ///< one sentence, without outcome word, check name or final stop
  std::vector<ChainStep> Chain;
  /// Replacements that repair the defect, to be applied together; empty where none is safe (in a
  /// macro, in a template instantiation, or where the repair needs a decision of the author).
  std::vector<clang::FixItHint> Fixes;
};

/// What the analysis saw and what it could not follow; `torch-tidy check --stats` prints it.
struct Statistics {
  unsigned Roots = 0;                  ///< functions and modules analysed as entry points
  unsigned RootsReachingBackward = 0;  ///< silence in the others proves nothing
  unsigned Paths = 0;                  ///< over all roots
  unsigned Runs = 0;                   ///< of roots: once per path, and again with defects repaired
  unsigned PathBudgetHits = 0;         ///< roots that used up their paths
  unsigned StepBudgetHits = 0;         ///< paths that used up their steps
  unsigned long Steps = 0;             ///< AST nodes evaluated
  unsigned long TensorExpressions = 0; ///< evaluations of an expression of tensor type ...
  unsigned long Untracked = 0;         ///< ... of which so many could not be modelled
  /// The same as they stand in the source, each once however often it was evaluated.
  struct Coverage {
    unsigned Expressions = 0; ///< evaluated at least once
    unsigned Untracked = 0;   ///< of which so many could not be modelled every time
  };
  std::map<std::string, Coverage> Files; ///< by path
  std::map<std::string, unsigned long> UntrackedReasons; ///< what was not followed -> how often
  double Milliseconds = 0;                               ///< analysis alone, without parsing
};

struct AnalysisOptions {
  bool ShowBenign = false;   ///< also report what looks suspicious and was proven harmless
  unsigned PathBudget = 64;  ///< paths per root
  unsigned RegionBudget = 16; ///< ways through one branch, loop or function that are compared
  unsigned long StepBudget = 500000; ///< evaluated AST nodes per path
  unsigned long RootStepBudget = 4000000; ///< the same, over all paths of a root
  /// Where the compiler reported errors: statements there may be missing from the syntax tree.
  std::vector<clang::SourceLocation> Errors;
};

struct AnalysisResult {
  std::vector<Finding> Findings; ///< in source order, one per defect
  Statistics Stats;
  /// Things the user should hear once (nearest fact table used, budget used up), as full sentences.
  std::vector<std::string> Remarks;
  /// What only somebody wants to know who asks how far to trust the silence: roots that were not
  /// analysed to the end.
  std::vector<std::string> Details;
  std::string LibTorch; ///< version of the headers that were read: "2.15.0"; empty: none seen
};

/// Runs the program of one translation unit (or of several sources read as one) on the abstract
/// LibTorch. Does not throw and does not emit diagnostics.
AnalysisResult analyze(clang::ASTContext &Context, const AnalysisOptions &Options = {});

} // namespace torch_tidy::model
