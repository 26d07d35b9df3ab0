// From a defect of the abstract LibTorch to a finding about the user's source.
#pragma once

#include "Finding.h"
#include "interpreter/Interpreter.h"

#include <optional>

namespace torch_tidy::model {

/// The check that owns a defect; empty where no check of this version does.
llvm::StringRef checkFor(const autograd::Defect &D);

class Diagnosis {
public:
  Diagnosis(const Interpreter &Program, clang::ASTContext &Context)
      : Program(Program), Context(Context) {}

  /// Nothing where the culprit lies in no file of the user's.
  std::optional<Finding> describe(const autograd::Defect &D, Certainty How) const;

private:
  std::vector<clang::FixItHint> fixesFor(const autograd::Defect &D) const;
  std::vector<clang::FixItHint> fixesForCut(const autograd::Defect &D) const; // CutFixes.cpp
  std::vector<clang::FixItHint> fixesForLostWrite(const autograd::Defect &D) const;
  std::vector<clang::FixItHint> fixesForDropped(const autograd::Defect &D) const;
  std::vector<clang::FixItHint> identityFix(const autograd::Defect &D) const;
  std::vector<clang::FixItHint> fixGraph(const autograd::Defect &D) const;
  const Interpreter &Program;
  clang::ASTContext &Context;
};

} // namespace torch_tidy::model
