#include "interpreter/RootAnalysis.h"

#include "clang/AST/DeclCXX.h"
#include "clang/Basic/SourceManager.h"

#include <algorithm>

using namespace clang;

namespace torch_tidy::model {

namespace {

/// Whether nothing but forward() and the constructors can touch a module's members.
bool keepsToItself(const CXXRecordDecl *R) {
  for (const CXXMethodDecl *M : R->getDefinition()->methods())
    if (!M->isImplicit() && !M->isConst() && !M->isStatic() && !isa<CXXConstructorDecl>(M) &&
        !isa<CXXDestructorDecl>(M) &&
        !(M->getDeclName().isIdentifier() && M->getName() == "forward"))
      return false;
  for (const FieldDecl *F : R->getDefinition()->fields())
    if (F->getAccess() == AS_public && Types().isTensor(F->getType()))
      return false;
  return true;
}

/// Note [What a cut hides]
/// Behind a cut no gradient flows, so what would be wrong with it does not show. Like one that throws,
/// a cut that certainly is a defect is repaired, and the program run again. That run says nothing of
/// what the program as it stands trains, nor of what the cut keeps from happening.
bool hidesByCutting(const autograd::Defect &D) {
  return D.Kind == autograd::DefectKind::DependenceCut && !D.InDoubt && !D.InPlace &&
         (D.By == autograd::CutBy::Alias || D.By == autograd::CutBy::Guard || D.Operation == "item()");
}
bool isPreventedByCuts(autograd::DefectKind K) {
  return K == autograd::DefectKind::BackwardTwice || K == autograd::DefectKind::DetachMissing ||
         K == autograd::DefectKind::NonLeafOptimized;
}

bool isCut(autograd::DefectKind K) {
  return K == autograd::DefectKind::DependenceCut || K == autograd::DefectKind::DependenceZeroed ||
         K == autograd::DefectKind::TermLost;
}

/// What trainModule() does stands nowhere in the source: it is told as what is done where the module
/// is trained.
void wordForItsUser(Finding &F, const CXXRecordDecl *R, const SourceManager &SM) {
  constexpr llvm::StringRef Here = " here";
  for (const CXXMethodDecl *M : R->getDefinition()->methods()) {
    if (!M->getDeclName().isIdentifier() || M->getName() != "forward")
      continue;
    for (ChainStep &Step : F.Chain)
      if (size_t At = Step.Message.find(Here);
          At != std::string::npos && Step.Loc == SM.getExpansionLoc(M->getLocation()))
        Step.Message = "where this is trained, " + Step.Message.erase(At, Here.size());
  }
}

} // namespace

void RootAnalysis::explore() {
  const unsigned long StepsBefore = Result.Stats.Steps;
  while (!Work.empty()) {
    Path Prefix = std::move(Work.front());
    Work.pop_front();
    constexpr unsigned MostCombinations = 16;
    if (Paths >= MostCombinations && Sides.isCombination(Prefix)) {
      NotAllCombinations = true;
      continue;
    }
    PathsLeft = Paths >= Options.PathBudget ||
                Result.Stats.Steps - StepsBefore > Options.RootStepBudget;
    if (PathsLeft) {
      Budget = true;
      break;
    }
    follow(Prefix);
  }
  ++Result.Stats.Roots;
  Result.Stats.Paths += Paths;
  Result.Stats.RootsReachingBackward += Reaching > 0;
  Result.Stats.PathBudgetHits += Budget;
  if (Budget || NotAllCombinations)
    tellUnfollowed();
}

/// Once as it stands, and again as long as something is found that hides what comes after it.
void RootAnalysis::follow(const Path &Prefix) {
  ++Paths;
  PathNotes Notes;
  constexpr int MostRepairs = 12;
  bool Again = true;
  for (int Repair = 0; Again && Repair <= MostRepairs; ++Repair)
    run(Prefix, Repair == 0, Notes, Again);
  Reaching += Notes.ReachesBackward;
}

void RootAnalysis::run(const Path &Prefix, bool First, PathNotes &Notes, bool &Again) {
  auto Body = [&] {
    if (R.Kind == Root::Module)
      Program.trainModule(R.R);
    else
      Program.callRoot(R.F);
  };
  Interpreter::PathResult P = Program.run(Body, Prefix, Notes.Repaired);
  if (First) {
    Sides.note(P.Taken);
    for (Path &Other : P.Others)
      Work.push_back(std::move(Other));
  }
  Budget |= P.RegionsCut || P.BudgetHit;
  Result.Stats.StepBudgetHits += P.BudgetHit;
  NotAllCombinations |= P.NotAllCombinations;
  Notes.ReachesBackward |= P.ReachedBackward;
  if (!Notes.CutRepaired)
    Trained.insert(P.Reached.begin(), P.Reached.end());
  if (P.Defects.empty() || First)
    acquit(P);
  Again = false;
  bool Cuts = false;
  for (const autograd::Defect &D : P.Defects) {
    if (Notes.CutRepaired && isPreventedByCuts(D.Kind))
      continue;
    Cuts |= hidesByCutting(D);
    if ((D.Effect == Outcome::Throws || hidesByCutting(D)) && D.Culprit &&
        Notes.Repaired.insert(D.Culprit.Number).second)
      Again = true;
    if (D.Effect == Outcome::Throws && D.Also)
      Notes.Repaired.insert(D.Also.Number);
    note(D, Notes);
  }
  Notes.CutRepaired |= Cuts;
}

/// What some path does right, without doing it wrong elsewhere: see Defect::EveryPath.
void RootAnalysis::acquit(const Interpreter::PathResult &P) {
  for (const autograd::Acquittal &A : P.Acquitted)
    if (std::none_of(P.Defects.begin(), P.Defects.end(), [&](const auto &D) {
          return D.Kind == A.first && D.Subject == A.second;
        }))
      Acquitted.insert(A);
}

void RootAnalysis::note(const autograd::Defect &D, PathNotes &Notes) {
  llvm::StringRef Check = checkFor(D);
  if (Check.empty() || !D.Culprit)
    return;
  Key K{Check.str(), D.Culprit.Number, D.Kind};
  Found &F = Defects.insert({K, Found{D, 0, false, {}}}).first->second;
  bool Unconditional = !D.Sometimes && !D.Culprit.Conditional &&
                       std::none_of(D.Chain.begin(), D.Chain.end(),
                                    [](const auto &E) { return E.At.Conditional; });
  F.Unconditional |= Unconditional && !D.InDoubt;
  F.D.InDoubt |= D.InDoubt;
  F.Losers.insert(D.Losers.begin(), D.Losers.end());
  if (!D.Sometimes && Notes.Defects.insert(K).second)
    ++F.Paths;
}

void RootAnalysis::tellUnfollowed() {
  const NamedDecl *Name = R.name();
  const SourceManager &SM = Name->getASTContext().getSourceManager();
  Result.Details.push_back(
      "Not every path through '" + Name->getQualifiedNameAsString() + "' (" +
      Name->getLocation().printToString(SM) + ") was followed: " + std::to_string(Paths) +
      (Paths == 1 ? " was" : " were") +
      (PathsLeft ? ", until the budget was used up."
       : Budget  ? ", some of them not to the end or not with all ways of a branch."
                 : ", each side of each branch in some, but not in all combinations."));
}

/// A module by itself: what its caller trains, what it leaves frozen on purpose, and what it does
/// between the steps is not known.
bool RootAnalysis::isDefect(const Found &F) const {
  const bool Alone = R.Kind == Root::Module;
  // Its user may reset a state, which we do not.
  if (Alone && F.D.Kind == autograd::DefectKind::BackwardTwice && !keepsToItself(R.R))
    return false;
  if (F.D.EveryPath && Acquitted.count({F.D.Kind, F.D.Subject}))
    return false;
  // What another path trains is not cut off: the generator in a discriminator's step.
  if (!F.Losers.empty() && std::all_of(F.Losers.begin(), F.Losers.end(),
                                       [&](const auto &P) { return Trained.count(P); }))
    return false;
  return !(Alone && isCut(F.D.Kind) &&
           (F.D.By == autograd::CutBy::Alias || F.D.By == autograd::CutBy::Guard));
}

Certainty RootAnalysis::certaintyOf(const Found &F) const {
  if (F.D.InDoubt)
    return Certainty::Possible;
  const bool OnEveryPath =
      !Budget && !NotAllCombinations && F.Paths >= Reaching && Reaching > 0;
  return F.Unconditional || OnEveryPath ? Certainty::Definite : Certainty::Possible;
}

void RootAnalysis::report(const Diagnosis &Words, const LibraryFiles &Files,
                          const SourceManager &SM, Findings &All) {
  for (auto &[K, F] : Defects) {
    if (!isDefect(F))
      continue;
    F.D.InDoubt |= R.Kind == Root::Module && isCut(F.D.Kind);
    std::optional<Finding> New = Words.describe(F.D, certaintyOf(F));
    if (!New || Files.contains(New->Loc))
      continue;
    if (R.Kind == Root::Module)
      wordForItsUser(*New, R.R, SM);
    auto [It, Fresh] = All.insert({{New->Loc.getRawEncoding(), New->Check}, *New});
    Finding &Old = It->second;
    if (!Fresh && std::pair(New->Predicted, New->How) < std::pair(Old.Predicted, Old.How))
      Old = *New;
  }
}

} // namespace torch_tidy::model
