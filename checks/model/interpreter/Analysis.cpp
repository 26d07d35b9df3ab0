// analyze(): which functions are entry points, which paths are run, what becomes a finding.
#include "Finding.h"
#include "LibraryFiles.h"
#include "facts/FactTable.h"
#include "interpreter/judging/Diagnosis.h"
#include "interpreter/Interpreter.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/DenseSet.h"

#include <algorithm>
#include <set>
#include <chrono>
#include <deque>

using namespace clang;

namespace torch_tidy::model {

namespace {

/// What a translation unit of the user's defines and refers to.
class Inventory : public RecursiveASTVisitor<Inventory> {
public:
  bool shouldVisitTemplateInstantiations() const { return true; }
  bool shouldVisitImplicitCode() const { return false; }

  std::vector<const FunctionDecl *> Functions;
  std::vector<const CXXRecordDecl *> Modules;
  llvm::DenseSet<const FunctionDecl *> Referenced;
  llvm::DenseSet<const CXXRecordDecl *> Constructed;
  Types Kinds;

  bool VisitFunctionDecl(FunctionDecl *F) {
    if (F->isThisDeclarationADefinition() && F->hasBody() && !F->isDependentContext())
      Functions.push_back(F);
    return true;
  }
  bool VisitCXXRecordDecl(CXXRecordDecl *R) {
    if (R->isThisDeclarationADefinition() && !R->isDependentContext() && !R->isAbstract() &&
        Kinds.kind(R) == ClassKind::Module)
      Modules.push_back(R);
    return true;
  }
  bool VisitDeclRefExpr(DeclRefExpr *E) {
    if (const auto *F = dyn_cast<FunctionDecl>(E->getDecl()))
      Referenced.insert(F->getCanonicalDecl());
    return true;
  }
  bool VisitMemberExpr(MemberExpr *E) {
    if (const auto *F = dyn_cast<FunctionDecl>(E->getMemberDecl()))
      Referenced.insert(F->getCanonicalDecl());
    return true;
  }
};

struct Root {
  enum { Function, Module } Kind = Function;
  const FunctionDecl *F = nullptr;
  const CXXRecordDecl *R = nullptr;
};

/// Free functions, and methods that a user of the class calls; a module's forward() is driven by
/// itself, and what implements an interface is called by whoever knows that.
bool isForCallers(const FunctionDecl *F, const Inventory &I) {
  const auto *M = dyn_cast<CXXMethodDecl>(F);
  if (!M)
    return true;
  const CXXRecordDecl *R = M->getParent();
  if (!M->isUserProvided() || M->getAccess() != AS_public || M->isVirtual() ||
      isa<CXXConstructorDecl, CXXDestructorDecl, CXXConversionDecl>(M) || M->isOverloadedOperator() ||
      R->isLambda() || R->isAbstract() || R->getDeclContext()->isFunctionOrMethod())
    return false;
  const ClassKind K = I.Kinds.kind(R);
  return K == ClassKind::Other ||
         (K == ClassKind::Module && M->getDeclName().isIdentifier() && M->getName() != "forward");
}

/// main and registered models; without either, what a user of the file would call.
std::vector<Root> rootsOf(const Inventory &I, const LibraryFiles &Files) {
  std::vector<Root> Roots;
  auto IsTest = [&](const FunctionDecl *F) {
    // Bodies of tests: a member without parameters that implements a library's virtual function.
    const auto *M = dyn_cast<CXXMethodDecl>(F);
    if (!M || !M->isVirtual() || M->getNumParams() || isa<CXXDestructorDecl>(M) ||
        M->getParent()->isAbstract() || I.Kinds.kind(M->getParent()) != ClassKind::Other)
      return false;
    for (const CXXMethodDecl *O : M->overridden_methods())
      if (Files.contains(O->getLocation()))
        return true;
    return false;
  };
  for (const FunctionDecl *F : I.Functions) {
    bool Registered = F->getDeclName().isIdentifier() &&
                      F->getName().starts_with("torch_tidy_model_") && F->getNumParams() == 0;
    if (F->isMain() || Registered || IsTest(F))
      Roots.push_back({Root::Function, F, nullptr});
  }
  if (!Roots.empty())
    return Roots;
  for (const CXXRecordDecl *R : I.Modules)
    Roots.push_back({Root::Module, nullptr, R});
  for (const FunctionDecl *F : I.Functions)
    if (!I.Referenced.count(F->getCanonicalDecl()) && isForCallers(F, I))
      Roots.push_back({Root::Function, F, nullptr});
  return Roots;
}

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

struct Key {
  std::string Check;
  uint32_t Place;
  autograd::DefectKind Kind;
  auto operator<=>(const Key &) const = default;
};

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

facts::Version libTorchVersion(const ASTContext &Context);

AnalysisResult analyze(ASTContext &Context, const AnalysisOptions &Options) {
  AnalysisResult Result;
  auto Start = std::chrono::steady_clock::now();
  LibraryFiles Files(Context.getSourceManager());
  Inventory Seen;
  // What a precompiled header holds is read as it is asked for: going through all of it would cost
  // more than all the rest, and what the user wrote there belongs to no single source.
  for (Decl *D : Context.getTranslationUnitDecl()->noload_decls())
    if (!Files.contains(D->getLocation()))
      Seen.TraverseDecl(D);

  facts::Version Wanted = libTorchVersion(Context);
  if (Wanted.Major != 0)
    Result.LibTorch = facts::toString(Wanted);
  const facts::FactTable &Facts = facts::FactTable::forVersion(Wanted);
  if (!Facts.fits(Wanted) && Wanted.Major != 0)
    Result.Remarks.push_back("No facts were measured on LibTorch " + facts::toString(Wanted) +
                             "; those of " + facts::toString(Facts.measuredOn()) +
                             " are used instead.");

  Interpreter Program(Context, Files, Facts, Options, Result.Stats);
  Diagnosis Words(Program, Context);
  std::map<std::pair<unsigned, std::string>, Finding> Findings; // by place and check

  for (const Root &R : rootsOf(Seen, Files)) {
    ++Result.Stats.Roots;
    auto Body = [&] {
      if (R.Kind == Root::Module)
        Program.trainModule(R.R);
      else
        Program.callRoot(R.F);
    };
    struct Found {
      autograd::Defect D;
      unsigned Paths = 0;
      bool Unconditional = false;
      std::set<std::string> Losers; ///< on every path that has the defect
    };
    std::set<std::string> Trained; ///< on some path
    std::map<Key, Found> Defects;
    std::deque<Path> Work(1);
    unsigned Reaching = 0, Paths = 0;
    bool Budget = false, Reached = false, PathsLeft = false, NotAllCombinations = false;
    SidesTaken Sides;
    const unsigned long StepsBefore = Result.Stats.Steps;
    std::set<autograd::Acquittal> Acquitted;
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
      ++Paths;
      std::set<uint32_t> Repaired;
      std::set<Key> OnThisPath;
      bool ReachedHere = false, Joined = false;
      constexpr int MostRepairs = 12;
      for (int Repair = 0; Repair <= MostRepairs; ++Repair) {
        Interpreter::PathResult P = Program.run(Body, Prefix, Repaired);
        if (Repair == 0) {
          Sides.note(P.Taken);
          for (Path &Other : P.Others)
            Work.push_back(std::move(Other));
        }
        Budget |= P.RegionsCut;
        NotAllCombinations |= P.NotAllCombinations;
        ReachedHere |= P.ReachedBackward;
        if (!Joined)
          Trained.insert(P.Reached.begin(), P.Reached.end());
        // What some path does right, without doing it wrong elsewhere: see Defect::EveryPath.
        if (P.Defects.empty() || Repair == 0)
          for (const autograd::Acquittal &A : P.Acquitted)
            if (std::none_of(P.Defects.begin(), P.Defects.end(), [&](const auto &D) {
                  return D.Kind == A.first && D.Subject == A.second;
                }))
              Acquitted.insert(A);
        if (P.BudgetHit) {
          ++Result.Stats.StepBudgetHits;
          Budget = true;
        }
        bool Again = false, Joins = false;
        for (autograd::Defect &D : P.Defects) {
          if (Joined && isPreventedByCuts(D.Kind))
            continue;
          Joins |= hidesByCutting(D);
          if ((D.Effect == Outcome::Throws || hidesByCutting(D)) && D.Culprit &&
              Repaired.insert(D.Culprit.Number).second)
            Again = true;
          if (D.Effect == Outcome::Throws && D.Also)
            Repaired.insert(D.Also.Number);
          llvm::StringRef Check = checkFor(D);
          if (Check.empty() || !D.Culprit)
            continue;
          Key K{Check.str(), D.Culprit.Number, D.Kind};
          auto It = Defects.find(K);
          bool Unconditional = !D.Sometimes && !D.Culprit.Conditional &&
                               std::none_of(D.Chain.begin(), D.Chain.end(),
                                            [](const auto &E) { return E.At.Conditional; });
          if (It == Defects.end())
            It = Defects.insert({K, Found{D, 0, false}}).first;
          It->second.Unconditional |= Unconditional && !D.InDoubt;
          It->second.D.InDoubt |= D.InDoubt;
          It->second.Losers.insert(D.Losers.begin(), D.Losers.end());
          if (!D.Sometimes && OnThisPath.insert(K).second)
            ++It->second.Paths;
        }
        Joined |= Joins;
        if (!Again)
          break;
      }
      Reaching += ReachedHere;
      Reached |= ReachedHere;
    }
    Result.Stats.Paths += Paths;
    Result.Stats.RootsReachingBackward += Reached;
    Result.Stats.PathBudgetHits += Budget;
    if (Budget || NotAllCombinations) {
      const NamedDecl *Name = R.Kind == Root::Module ? static_cast<const NamedDecl *>(R.R) : R.F;
      Result.Details.push_back(
          "Not every path through '" + Name->getQualifiedNameAsString() + "' (" +
          Name->getLocation().printToString(Context.getSourceManager()) + ") was followed: " +
          std::to_string(Paths) + (Paths == 1 ? " was" : " were") +
          (PathsLeft ? ", until the budget was used up."
           : Budget  ? ", some of them not to the end or not with all ways of a branch."
                     : ", each side of each branch in some, but not in all combinations."));
    }
    for (auto &[K, F] : Defects) {
      // Between the steps of a module driven by us its user may do what we do not: reset a state.
      if (R.Kind == Root::Module && F.D.Kind == autograd::DefectKind::BackwardTwice &&
          !keepsToItself(R.R))
        continue;
      if (F.D.EveryPath && Acquitted.count({F.D.Kind, F.D.Subject}))
        continue;
      // What another path trains is not cut off: the generator in a discriminator's step.
      if (!F.Losers.empty() && std::all_of(F.Losers.begin(), F.Losers.end(),
                                           [&](const auto &P) { return Trained.count(P); }))
        continue;
      // A module by itself: what its caller trains, and what is frozen on purpose, is not known.
      bool Cut = F.D.Kind == autograd::DefectKind::DependenceCut ||
                 F.D.Kind == autograd::DefectKind::DependenceZeroed ||
                 F.D.Kind == autograd::DefectKind::TermLost;
      if (Cut && R.Kind == Root::Module) {
        if (F.D.By == autograd::CutBy::Alias || F.D.By == autograd::CutBy::Guard)
          continue;
        F.D.InDoubt = true;
      }
      Certainty How = !F.D.InDoubt &&
                              (F.Unconditional || (!Budget && !NotAllCombinations &&
                                                   F.Paths >= Reaching && Reaching > 0))
                          ? Certainty::Definite
                          : Certainty::Possible;
      std::optional<Finding> New = Words.describe(F.D, How);
      if (!New || Files.contains(New->Loc))
        continue;
      if (R.Kind == Root::Module)
        wordForItsUser(*New, R.R, Context.getSourceManager());
      // One defect, one finding: of several explanations of one line the gravest is kept.
      auto Id = std::make_pair(New->Loc.getRawEncoding(), New->Check);
      auto [It, Fresh] = Findings.insert({Id, *New});
      if (!Fresh && (New->Predicted < It->second.Predicted ||
                     (New->Predicted == It->second.Predicted && New->How < It->second.How)))
        It->second = *New;
    }
  }
  for (auto &[Id, F] : Findings)
    Result.Findings.push_back(std::move(F));
  const SourceManager &SM = Context.getSourceManager();
  Result.Stats.Files = Program.coverage();
  std::sort(Result.Findings.begin(), Result.Findings.end(),
            [&](const Finding &A, const Finding &B) {
              if (A.Loc == B.Loc)
                return A.Check < B.Check;
              return SM.isBeforeInTranslationUnit(A.Loc, B.Loc);
            });
  Result.Stats.Milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - Start).count();
  return Result;
}

/// Read from torch/version.h as it lies beside the headers that were parsed (it need not be
/// included itself); 0.0.0 where LibTorch was not seen.
facts::Version libTorchVersion(const ASTContext &Context) {
  const SourceManager &SM = Context.getSourceManager();
  facts::Version V;
  auto ReadBeside = [&](llvm::StringRef Include) {
    // Since 2.9 the old place only includes the new one.
    std::string Text;
    for (const char *Place : {"/torch/headeronly/version.h", "/torch/csrc/api/include/torch/version.h"})
      if (auto Buffer = SM.getFileManager().getBufferForFile((Include + Place).str()))
        Text += (*Buffer)->getBuffer();
    if (Text.empty())
      return false;
    auto Number = [&](llvm::StringRef Name) {
      size_t P = Text.find(("#define " + Name + " ").str());
      int N = 0;
      if (P != std::string::npos)
        (void)llvm::StringRef(Text).drop_front(P + 9 + Name.size()).consumeInteger(10, N);
      return N;
    };
    V.Major = Number("TORCH_VERSION_MAJOR");
    V.Minor = Number("TORCH_VERSION_MINOR");
    V.Patch = Number("TORCH_VERSION_PATCH");
    return true;
  };
  for (auto It = SM.fileinfo_begin(); It != SM.fileinfo_end(); ++It) {
    llvm::StringRef Path = It->first.getName();
    size_t At = Path.find("/torch/csrc/");
    if (At != llvm::StringRef::npos && ReadBeside(Path.take_front(At)))
      return V;
  }
  // Headers in a precompiled header are files only when something asks where a declaration stands.
  for (const char *Name : {"torch", "at", "c10"})
    for (const NamedDecl *D : Context.getTranslationUnitDecl()->lookup(&Context.Idents.get(Name)))
      for (const Decl *R : D->redecls()) {
        llvm::StringRef Path = SM.getFilename(SM.getExpansionLoc(R->getLocation()));
        for (const char *Room : {"/torch/csrc/", "/ATen/", "/c10/", "/torch/"}) {
          size_t At = Path.find(Room);
          if (At != llvm::StringRef::npos && ReadBeside(Path.take_front(At)))
            return V;
        }
      }
  return V;
}

} // namespace torch_tidy::model
