// analyze(): which functions are entry points, which paths are run, what becomes a finding.
#include "Finding.h"
#include "LibraryFiles.h"
#include "facts/FactTable.h"
#include "interpreter/Diagnosis.h"
#include "interpreter/Interpreter.h"

#include "clang/AST/ASTContext.h"
#include "clang/AST/RecursiveASTVisitor.h"
#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/DenseSet.h"

#include <algorithm>
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
    if (!isa<CXXMethodDecl>(F) && !I.Referenced.count(F->getCanonicalDecl()))
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

struct Key {
  std::string Check;
  uint32_t Place;
  autograd::DefectKind Kind;
  auto operator<=>(const Key &) const = default;
};

} // namespace

facts::Version libTorchVersion(const ASTContext &Context);

AnalysisResult analyze(ASTContext &Context, const AnalysisOptions &Options) {
  AnalysisResult Result;
  auto Start = std::chrono::steady_clock::now();
  LibraryFiles Files(Context.getSourceManager());
  Inventory Seen;
  for (Decl *D : Context.getTranslationUnitDecl()->decls())
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
    };
    std::map<Key, Found> Defects;
    std::set<autograd::Acquittal> Acquitted;
    std::deque<std::vector<bool>> Work{{}};
    unsigned Reaching = 0, Runs = 0;
    bool Budget = false, Reached = false;
    while (!Work.empty()) {
      if (Runs >= Options.PathBudget) {
        Budget = true;
        break;
      }
      std::vector<bool> Prefix = Work.front();
      Work.pop_front();
      std::set<uint32_t> Repaired;
      std::set<Key> OnThisPath;
      bool ReachedHere = false;
      constexpr int MostRepairs = 12;
      for (int Repair = 0; Repair <= MostRepairs; ++Repair) {
        ++Runs;
        Interpreter::PathResult P = Program.run(Body, Prefix, Repaired);
        if (Repair == 0) {
          const std::vector<bool> &Taken = Program.decisions();
          for (size_t I = Prefix.size(); I < Taken.size(); ++I) {
            std::vector<bool> Other(Taken.begin(), Taken.begin() + I);
            Other.push_back(!Taken[I]);
            Work.push_back(std::move(Other));
          }
        }
        ReachedHere |= P.ReachedBackward;
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
        bool Again = false;
        for (autograd::Defect &D : P.Defects) {
          if (D.Effect == Outcome::Throws && D.Culprit && Repaired.insert(D.Culprit.Number).second)
            Again = true;
          llvm::StringRef Check = checkFor(D);
          if (Check.empty() || !D.Culprit)
            continue;
          Key K{Check.str(), D.Culprit.Number, D.Kind};
          auto It = Defects.find(K);
          bool Unconditional = !D.Culprit.Conditional &&
                               std::none_of(D.Chain.begin(), D.Chain.end(),
                                            [](const auto &E) { return E.At.Conditional; });
          if (It == Defects.end())
            It = Defects.insert({K, Found{D, 0, false}}).first;
          It->second.Unconditional |= Unconditional;
          if (OnThisPath.insert(K).second)
            ++It->second.Paths;
        }
        if (!Again)
          break;
      }
      Reaching += ReachedHere;
      Reached |= ReachedHere;
    }
    Result.Stats.RootsReachingBackward += Reached;
    Result.Stats.PathBudgetHits += Budget;
    for (auto &[K, F] : Defects) {
      // Between the steps of a module driven by us its user may do what we do not: reset a state.
      if (R.Kind == Root::Module && F.D.Kind == autograd::DefectKind::BackwardTwice &&
          !keepsToItself(R.R))
        continue;
      if (F.D.EveryPath && Acquitted.count({F.D.Kind, F.D.Subject}))
        continue;
      Certainty How = F.Unconditional || (!Budget && F.Paths >= Reaching && Reaching > 0)
                          ? Certainty::Definite
                          : Certainty::Possible;
      std::optional<Finding> New = Words.describe(F.D, How);
      if (!New || Files.contains(New->Loc))
        continue;
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
