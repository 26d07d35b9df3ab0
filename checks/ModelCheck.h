// The one shell around all checks: asks the model and words the answer for clang-tidy.
#pragma once

#include "Finding.h"

#include "clang-tidy/ClangTidyCheck.h"

#include <memory>
#include <optional>

namespace torch_tidy {

/// The abstract run of one translation unit. The model costs the same for one check as for all of
/// them, so the checks of a unit share it.
class UnitAnalysis {
public:
  /// The run of the unit that this thread is at. The checks of a unit hold it together; with the
  /// last of them it goes.
  static std::shared_ptr<UnitAnalysis> ofThisUnit();

  /// What one check asks for; the run does as much as any check of the unit wants.
  void require(const model::AnalysisOptions &Wanted);

  /// Runs the model at the first call.
  const model::AnalysisResult &result(clang::ASTContext &Context);

private:
  std::optional<model::AnalysisOptions> Options;
  std::optional<model::AnalysisResult> Result;
};

/// Reports the findings of the model that belong to the check it is registered as.
///
/// Options, each also without the check's name for all torch checks together:
///   ShowBenign  report what looks suspicious and was proven harmless (false)
///   PathBudget  paths per entry point (64)
///   StepBudget  evaluated syntax nodes per path (500000)
class ModelCheck : public clang::tidy::ClangTidyCheck {
public:
  ModelCheck(llvm::StringRef Name, clang::tidy::ClangTidyContext *Context);

  bool isLanguageVersionSupported(const clang::LangOptions &Language) const override {
    return Language.CPlusPlus;
  }
  void storeOptions(clang::tidy::ClangTidyOptions::OptionMap &Store) override;
  void registerMatchers(clang::ast_matchers::MatchFinder *Finder) override;
  void check(const clang::ast_matchers::MatchFinder::MatchResult &Result) override;

private:
  template <typename T> void read(llvm::StringRef Option, T &Value);
  void report(const model::Finding &F);

  std::string Name;
  model::AnalysisOptions Wanted;
  std::shared_ptr<UnitAnalysis> Unit;
};

} // namespace torch_tidy
