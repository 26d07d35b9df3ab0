#include "ModelCheck.h"

#include "Wording.h"

#include "clang/AST/ASTContext.h"
#include "clang/ASTMatchers/ASTMatchFinder.h"
#include "clang/ASTMatchers/ASTMatchers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/YAMLParser.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <mutex>
#include <set>

namespace torch_tidy {

using namespace clang;
using namespace clang::ast_matchers;

std::shared_ptr<UnitAnalysis> UnitAnalysis::ofThisUnit() {
  // One per thread: clangd reads several units at once, each on a thread of its own.
  static thread_local std::weak_ptr<UnitAnalysis> Current;
  std::shared_ptr<UnitAnalysis> Unit = Current.lock();
  if (!Unit) {
    Unit = std::make_shared<UnitAnalysis>();
    Current = Unit;
  }
  return Unit;
}

void UnitAnalysis::require(const model::AnalysisOptions &Wanted) {
  if (!Options) {
    Options = Wanted;
    return;
  }
  Options->ShowBenign |= Wanted.ShowBenign;
  Options->PathBudget = std::max(Options->PathBudget, Wanted.PathBudget);
  Options->StepBudget = std::max(Options->StepBudget, Wanted.StepBudget);
}

// What is no finding goes to standard error, as clang-tidy's own remarks do, once per run of it.
static void tellOnce(const std::string &Text) {
  static std::mutex Telling;
  static std::set<std::string> Told;
  std::lock_guard<std::mutex> Lock(Telling);
  if (Told.insert(Text).second)
    llvm::errs() << "torch-tidy: " << Text << "\n";
}

const model::AnalysisResult &UnitAnalysis::result(ASTContext &Context) {
  if (!Result) {
    Result = model::analyze(Context, *Options);
    llvm::for_each(Result->Remarks, tellOnce);
    if (Result->Stats.PathBudgetHits)
      llvm::for_each(Result->Details, tellOnce);
  }
  return *Result;
}

// Options travel as text: clang-tidy's typed accessors are templates that it specialises inside its
// executable, and GCC and Clang mangle their std::enable_if differently (GCC 12 against Debian's
// clang-tidy 19 and 22: the symbol is not found).
template <typename T> void ModelCheck::read(llvm::StringRef Option, T &Value) {
  std::optional<llvm::StringRef> Text = Options.getLocalOrGlobal(Option);
  if (!Text)
    return;
  if constexpr (std::is_same_v<T, bool>) {
    if (std::optional<bool> Parsed = llvm::yaml::parseBool(*Text)) {
      Value = *Parsed;
      return;
    }
  } else if (!Text->getAsInteger(10, Value)) {
    return;
  }
  configurationDiag("'%0' is no value for the option '%1.%2': give %3")
      << *Text << Name << Option << (std::is_same_v<T, bool> ? "true or false" : "a whole number");
}

ModelCheck::ModelCheck(llvm::StringRef Name, tidy::ClangTidyContext *Context)
    : ClangTidyCheck(Name, Context), Name(Name), Unit(UnitAnalysis::ofThisUnit()) {
  read("ShowBenign", Wanted.ShowBenign);
  read("PathBudget", Wanted.PathBudget);
  read("StepBudget", Wanted.StepBudget);
  Unit->require(Wanted);
}

void ModelCheck::storeOptions(tidy::ClangTidyOptions::OptionMap &Store) {
  Options.store(Store, "ShowBenign", llvm::StringRef(Wanted.ShowBenign ? "true" : "false"));
  Options.store(Store, "PathBudget", llvm::StringRef(std::to_string(Wanted.PathBudget)));
  Options.store(Store, "StepBudget", llvm::StringRef(std::to_string(Wanted.StepBudget)));
}

void ModelCheck::registerMatchers(MatchFinder *Finder) {
  Finder->addMatcher(translationUnitDecl(), this);
}

void ModelCheck::check(const MatchFinder::MatchResult &Match) {
  for (const model::Finding &F : Unit->result(*Match.Context).Findings)
    if (F.Check == Name && (Wanted.ShowBenign || F.Predicted != model::Outcome::Benign))
      report(F);
}

void ModelCheck::report(const model::Finding &F) {
  // Always a warning: clang-tidy keeps errors for code that does not compile, and would refuse
  // --fix. Who wants a failing exit status says WarningsAsErrors.
  {
    auto Warning = diag(F.Loc, "%0") << wording(F);
    for (const FixItHint &Fix : F.Fixes)
      Warning << Fix;
  }
  for (const model::ChainStep &Step : F.Chain)
    diag(Step.Loc, "%0", DiagnosticIDs::Note) << Step.Message;
}

} // namespace torch_tidy
