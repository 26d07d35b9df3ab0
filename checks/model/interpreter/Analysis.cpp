// analyze(): the facts that fit the headers, every root of the file, and what became of it.
#include "Finding.h"
#include "LibraryFiles.h"
#include "facts/FactTable.h"
#include "interpreter/Interpreter.h"
#include "interpreter/RootAnalysis.h"
#include "interpreter/Roots.h"
#include "interpreter/judging/Diagnosis.h"

#include "clang/AST/ASTContext.h"
#include "clang/Basic/SourceManager.h"

#include <algorithm>
#include <chrono>

using namespace clang;

namespace torch_tidy::model {

facts::Version libTorchVersion(const ASTContext &Context);

namespace {

const facts::FactTable &factsFor(const ASTContext &Context, AnalysisResult &Result) {
  facts::Version Wanted = libTorchVersion(Context);
  if (Wanted.Major != 0)
    Result.LibTorch = facts::toString(Wanted);
  const facts::FactTable &Facts = facts::FactTable::forVersion(Wanted);
  if (!Facts.fits(Wanted) && Wanted.Major != 0)
    Result.Remarks.push_back("No facts were measured on LibTorch " + facts::toString(Wanted) +
                             "; those of " + facts::toString(Facts.measuredOn()) +
                             " are used instead.");
  return Facts;
}

} // namespace

AnalysisResult analyze(ASTContext &Context, const AnalysisOptions &Options) {
  AnalysisResult Result;
  auto Start = std::chrono::steady_clock::now();
  const SourceManager &SM = Context.getSourceManager();
  LibraryFiles Files(SM);
  Interpreter Program(Context, Files, factsFor(Context, Result), Options, Result.Stats);
  Diagnosis Words(Program, Context);
  RootAnalysis::Findings Findings;
  for (const Root &R : rootsOf(Context, Files)) {
    RootAnalysis Entered(R, Program, Options, Result);
    Entered.explore();
    Entered.report(Words, Files, SM, Findings);
  }
  for (auto &[Id, F] : Findings)
    Result.Findings.push_back(std::move(F));
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
