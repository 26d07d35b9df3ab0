// One root over all its paths: which are run, what defects they have, and which of these are findings.
#pragma once

#include "Finding.h"
#include "LibraryFiles.h"
#include "interpreter/Interpreter.h"
#include "interpreter/Roots.h"
#include "interpreter/judging/Diagnosis.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace torch_tidy::model {

class RootAnalysis {
public:
  /// Findings by place and check: one defect, one finding.
  using Findings = std::map<std::pair<unsigned, std::string>, Finding>;

  RootAnalysis(const Root &R, Interpreter &Program, const AnalysisOptions &Options,
               AnalysisResult &Result)
      : R(R), Program(Program), Options(Options), Result(Result) {}

  /// Runs the root's paths, as far as the budget goes, and counts them in the result's statistics.
  void explore();
  /// Adds what is a defect of the root as a whole. Of several explanations of one line the gravest is
  /// kept.
  void report(const Diagnosis &Words, const LibraryFiles &Files, const clang::SourceManager &SM,
              Findings &All);

private:
  struct Key { // of a defect, the same on every path
    std::string Check;
    uint32_t Place;
    autograd::DefectKind Kind;
    auto operator<=>(const Key &) const = default;
  };
  struct Found {
    autograd::Defect D;
    unsigned Paths = 0;
    bool Unconditional = false;
    std::set<std::string> Losers; ///< on every path that has the defect
  };
  struct PathNotes { // of one path, over the runs that repair what hides other defects
    std::set<uint32_t> Repaired;
    std::set<Key> Defects;
    bool ReachesBackward = false;
    bool CutRepaired = false; ///< see Note [What a cut hides]
  };

  void follow(const Path &Prefix);
  void run(const Path &Prefix, bool First, PathNotes &Notes, bool &Again);
  void acquit(const Interpreter::PathResult &P);
  void note(const autograd::Defect &D, PathNotes &Notes);
  void tellUnfollowed();
  bool isDefect(const Found &F) const;
  Certainty certaintyOf(const Found &F) const;

  const Root &R;
  Interpreter &Program;
  const AnalysisOptions &Options;
  AnalysisResult &Result;

  std::deque<Path> Work{1};
  SidesTaken Sides;
  std::map<Key, Found> Defects;
  std::set<std::string> Trained;            ///< on some path
  std::set<autograd::Acquittal> Acquitted;  ///< what some path does right
  unsigned Paths = 0, Reaching = 0;         ///< those run, those of them that reach backward()
  bool Budget = false;                      ///< some path was not run, or not to its end
  bool PathsLeft = false;                   ///< some path was not run
  bool NotAllCombinations = false;
};

} // namespace torch_tidy::model
