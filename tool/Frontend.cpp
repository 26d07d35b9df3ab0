#include "Frontend.h"

#include "LibraryFiles.h"
#include "Wording.h"

#include "clang-tidy/NoLintDirectiveHandler.h"
#include "clang/AST/ASTConsumer.h"
#include "clang/AST/ASTContext.h"
#include "clang/AST/Decl.h"
#include "clang/AST/DeclTemplate.h"
#include "clang/Basic/DiagnosticDriver.h"
#include "clang/Basic/DiagnosticSema.h"
#include "clang/Frontend/CompilerInstance.h"
#include "clang/Frontend/FrontendAction.h"
#include "clang/Lex/LexDiagnostic.h"
#include "clang/Lex/Lexer.h"
#include "clang/Tooling/Core/Diagnostic.h"
#include "clang/Tooling/Tooling.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/VirtualFileSystem.h"

#include <chrono>
#include <optional>
#include <set>

namespace torch_tidy::tool {

using namespace clang;

void addStatistics(model::Statistics &To, const model::Statistics &From) {
  To.Roots += From.Roots;
  To.RootsReachingBackward += From.RootsReachingBackward;
  To.Paths += From.Paths;
  To.Runs += From.Runs;
  To.PathBudgetHits += From.PathBudgetHits;
  To.StepBudgetHits += From.StepBudgetHits;
  To.Steps += From.Steps;
  To.TensorExpressions += From.TensorExpressions;
  To.Untracked += From.Untracked;
  // A file of several programs counts as in the one that went through most of it.
  for (const auto &[File, Coverage] : From.Files)
    if (model::Statistics::Coverage &Known = To.Files[File]; Coverage.Expressions > Known.Expressions)
      Known = Coverage;
  for (const auto &[Reason, Count] : From.UntrackedReasons)
    To.UntrackedReasons[Reason] += Count;
  To.Milliseconds += From.Milliseconds;
}

namespace {

std::string absolutePath(const SourceManager &SM, FileID File) {
  OptionalFileEntryRef Entry = SM.getFileEntryRefForID(File);
  if (!Entry)
    return "";
  llvm::SmallString<256> Path(Entry->getName());
  SM.getFileManager().makeAbsolutePath(Path);
  llvm::sys::path::remove_dots(Path, /*remove_dot_dot=*/true);
  return std::string(Path);
}

Place placeOf(SourceLocation Loc, const SourceManager &SM, const LangOptions &Language) {
  Place At;
  if (Loc.isInvalid())
    return At;
  Loc = SM.getExpansionLoc(Loc);
  auto [File, Offset] = SM.getDecomposedLoc(Loc);
  At.File = absolutePath(SM, File);
  if (At.File.empty())
    return At;
  At.Offset = Offset;
  At.Line = SM.getLineNumber(File, Offset);
  At.Column = SM.getColumnNumber(File, Offset);
  At.EndColumn = At.Column + std::max(1u, Lexer::MeasureTokenLength(Loc, SM, Language));
  return At;
}

std::string lineText(SourceLocation Loc, const SourceManager &SM) {
  auto [File, Offset] = SM.getDecomposedLoc(SM.getExpansionLoc(Loc));
  llvm::StringRef Text = SM.getBufferData(File);
  size_t Begin = Text.rfind('\n', Offset);
  Begin = Offset == 0 || Begin == llvm::StringRef::npos ? 0 : Begin + 1;
  if (Offset > 0 && Text[Offset] == '\n') // at the end of its line
    Begin = Text.substr(0, Offset).rfind('\n') + 1;
  return Text.slice(Begin, Text.find_first_of("\r\n", Offset)).str();
}

// The innermost named function around a place; lambdas and local classes count to the function they
// are written in.
class Functions {
public:
  Functions(ASTContext &Context, const model::LibraryFiles &Library)
      : SM(Context.getSourceManager()), Library(Library) {
    add(Context.getTranslationUnitDecl());
  }

  std::string around(SourceLocation Loc) const {
    Loc = SM.getExpansionLoc(Loc);
    for (const auto &[Range, Name] : Bodies)
      if (SM.getFileID(Range.getBegin()) == SM.getFileID(Loc) &&
          SM.getFileOffset(Range.getBegin()) <= SM.getFileOffset(Loc) &&
          SM.getFileOffset(Loc) <= SM.getFileOffset(Range.getEnd()))
        return Name;
    return "";
  }

private:
  void add(const DeclContext *Context) {
    for (const Decl *D : Context->decls()) {
      if (Library.contains(D->getLocation()))
        continue;
      if (const auto *Template = dyn_cast<FunctionTemplateDecl>(D))
        D = Template->getTemplatedDecl();
      else if (const auto *Template = dyn_cast<ClassTemplateDecl>(D))
        D = Template->getTemplatedDecl();
      if (const auto *Function = dyn_cast<FunctionDecl>(D)) {
        if (Function->doesThisDeclarationHaveABody())
          Bodies.push_back({SM.getExpansionRange(Function->getSourceRange()).getAsRange(),
                            Function->getQualifiedNameAsString()});
      } else if (isa<NamespaceDecl, RecordDecl, LinkageSpecDecl>(D)) {
        add(cast<DeclContext>(D));
      }
    }
  }

  const SourceManager &SM;
  const model::LibraryFiles &Library;
  std::vector<std::pair<SourceRange, std::string>> Bodies;
};

// Keeps errors as data, and asks clang-tidy's own reader of NOLINT comments, which wants to be
// asked about a diagnostic on its way.
class Diagnostics : public DiagnosticConsumer {
public:
  Diagnostics(Reading &Result, const std::vector<std::string> &Sources)
      : Result(Result), Sources(Sources) {}

  std::vector<std::string> UnknownArguments;

  bool isSilenced(DiagnosticsEngine &Engine, SourceLocation Loc, llvm::StringRef CheckName) {
    Asking = CheckName;
    Silenced = false;
    Engine.setIgnoreAllWarnings(false);
    Engine.Report(Loc, Engine.getCustomDiagID(DiagnosticsEngine::Warning, "finding"));
    Asking = {};
    return Silenced;
  }

  void HandleDiagnostic(DiagnosticsEngine::Level Level, const Diagnostic &Info) override {
    if (!Asking.empty()) {
      llvm::SmallVector<tooling::Diagnostic, 1> Complaints;
      Silenced = NoLint.shouldSuppress(Level, Info, Asking, Complaints, /*AllowIO=*/true,
                                       /*EnableNoLintBlocks=*/true);
      for (const tooling::Diagnostic &Complaint : Complaints)
        Unbalanced.insert(Complaint.Message.FilePath + ": " + Complaint.Message.Message);
      return;
    }
    DiagnosticConsumer::HandleDiagnostic(Level, Info);
    if (Level < DiagnosticsEngine::Error)
      return;
    if (Info.getID() == diag::err_drv_unknown_argument ||
        Info.getID() == diag::err_drv_unknown_argument_with_suggestion)
      UnknownArguments.push_back(Info.getArgStdStr(0));
    ParseError Error;
    llvm::SmallString<128> Text;
    Info.FormatDiagnostic(Text);
    Error.Message = std::string(Text);
    if (Info.getID() == diag::err_pp_file_not_found)
      Error.Missing = Info.getArgKind(0) == DiagnosticsEngine::ak_std_string
                          ? Info.getArgStdStr(0)
                          : std::string(Info.getArgCStr(0));
    Error.Clash = llvm::is_contained(
        std::initializer_list<unsigned>{
            diag::err_redefinition, diag::err_redefinition_different_kind,
            diag::err_redefinition_different_type, diag::err_redefinition_different_typedef,
            diag::err_redefinition_of_enumerator, diag::err_ovl_diff_return_type,
            diag::err_ovl_ambiguous_call, diag::err_ambiguous_reference},
        Info.getID());
    if (Info.hasSourceManager() && Info.getLocation().isValid()) {
      const SourceManager &SM = Info.getSourceManager();
      Places.push_back(Info.getLocation());
      Error.At = placeOf(Info.getLocation(), SM, LangOptions());
      for (SourceLocation Loc = SM.getExpansionLoc(Info.getLocation()); Loc.isValid();
           Loc = SM.getIncludeLoc(SM.getFileID(Loc)))
        if (std::string File = absolutePath(SM, SM.getFileID(Loc));
            llvm::is_contained(Sources, File))
          Error.Source = File;
    }
    Result.Errors.push_back(std::move(Error));
  }

  std::vector<SourceLocation> Places; ///< of the errors
  std::set<std::string> Unbalanced;   ///< NOLINTBEGIN without end and the like

private:
  Reading &Result;
  const std::vector<std::string> &Sources;
  tidy::NoLintDirectiveHandler NoLint;
  llvm::StringRef Asking;
  bool Silenced = false;
};

std::vector<Edit> editsOf(const std::vector<FixItHint> &Fixes, const model::LibraryFiles &Library,
                          const SourceManager &SM, const LangOptions &Language) {
  std::vector<Edit> Edits;
  for (const FixItHint &Fix : Fixes) {
    CharSourceRange Range = Lexer::makeFileCharRange(Fix.RemoveRange, SM, Language);
    // Half a repair is none: in a macro or in a library's header, nothing is offered.
    if (Range.isInvalid() || Library.contains(Range.getBegin()) || Fix.InsertFromRange.isValid())
      return {};
    Edits.push_back({placeOf(Range.getBegin(), SM, Language), placeOf(Range.getEnd(), SM, Language),
                     Fix.CodeToInsert});
  }
  return Edits;
}

/// In namespace std, or in the one where libstdc++ wraps the predicates of its algorithms.
bool isOfStandardLibrary(const Decl *D) {
  const DeclContext *Context = D->getDeclContext()->getEnclosingNamespaceContext();
  const auto *Namespace = dyn_cast<NamespaceDecl>(Context);
  return Namespace && (Namespace->isStdNamespace() || Namespace->isInStdNamespace() ||
                       Namespace->getName() == "__ops");
}

class Consumer : public ASTConsumer {
public:
  Consumer(CompilerInstance &Compiler, Reading &Result, Diagnostics &Problems,
           const model::AnalysisOptions &Options)
      : Compiler(Compiler), Library(Compiler.getSourceManager()), Result(Result),
        Problems(Problems), Options(Options) {}

  // Nobody looks into a library's function. Templates of the standard library are read all the same:
  // only the bodies of algorithms say with which types a generic lambda of the user's is called.
  bool shouldSkipFunctionBody(Decl *D) override {
    const FunctionDecl *F = D->getAsFunction();
    return !(F && F->isTemplated() && isOfStandardLibrary(F)) && Library.contains(D->getLocation());
  }

  void HandleTranslationUnit(ASTContext &Context) override {
    Options.Errors = Problems.Places;
    model::AnalysisResult Found = model::analyze(Context, Options);
    Result.Analysed = true;
    Result.Stats = std::move(Found.Stats);
    Result.Remarks = std::move(Found.Remarks);
    Result.Details = std::move(Found.Details);
    if (!Found.LibTorch.empty())
      Result.LibTorch = "LibTorch " + Found.LibTorch;
    if (Found.Findings.empty())
      return;
    const SourceManager &SM = Context.getSourceManager();
    const LangOptions &Language = Context.getLangOpts();
    Functions Around(Context, Library);
    for (const model::Finding &F : Found.Findings) {
      if (Problems.isSilenced(Compiler.getDiagnostics(), F.Loc, F.Check)) {
        ++Result.Silenced;
        continue;
      }
      Report R;
      R.Check = F.Check;
      R.Predicted = F.Predicted;
      R.How = F.How;
      R.At = placeOf(F.Loc, SM, Language);
      R.Message = F.Message;
      R.Wording = wording(F);
      R.LineText = lineText(F.Loc, SM);
      R.Function = Around.around(F.Loc);
      for (const model::ChainStep &S : F.Chain)
        if (Place At = placeOf(S.Loc, SM, Language); At.valid())
          R.Chain.push_back({At, S.Message});
      R.Edits = editsOf(F.Fixes, Library, SM, Language);
      Result.Reports.push_back(std::move(R));
    }
    for (const std::string &Complaint : Problems.Unbalanced)
      Result.Remarks.push_back(Complaint + ".");
  }

private:
  CompilerInstance &Compiler;
  model::LibraryFiles Library;
  Reading &Result;
  Diagnostics &Problems;
  model::AnalysisOptions Options;
};

class Action : public ASTFrontendAction {
public:
  Action(Reading &Result, Diagnostics &Problems, const model::AnalysisOptions &Options)
      : Result(Result), Problems(Problems), Options(Options) {}

protected:
  std::unique_ptr<ASTConsumer> CreateASTConsumer(CompilerInstance &Compiler,
                                                 llvm::StringRef) override {
    Compiler.getFrontendOpts().SkipFunctionBodies = true;
    // As clangd does: a header that is not there hides itself, not the rest of the file.
    Compiler.getDiagnostics().setFatalsAsError(true);
    return std::make_unique<Consumer>(Compiler, Result, Problems, Options);
  }

private:
  Reading &Result;
  Diagnostics &Problems;
  const model::AnalysisOptions &Options;
};

constexpr char MainName[] = "torch-tidy-program.cpp";

// LibTorch first: a macro or using-directive of one source must not change its headers for the
// next.
std::string mainText(const std::vector<std::string> &Sources) {
  std::string Text = "#if __has_include(<torch/torch.h>)\n#include <torch/torch.h>\n#endif\n";
  for (const std::string &Source : Sources)
    Text += "#include \"" + Source + "\"\n";
  return Text;
}

std::vector<std::string> commandLine(const Program &P, const std::string &Main) {
  std::vector<std::string> Args = P.Compiler;
  // The built-in headers must be those of the Clang that is linked, whatever compiler the project
  // uses; after `--` nothing is an option.
  Args.insert(Args.begin() + 1, {"-resource-dir", TORCH_TIDY_RESOURCE_DIR});
  Args.insert(Args.end(), {"-w", "-ferror-limit=0", "-fno-caret-diagnostics", "-Qunused-arguments",
                           "-fsyntax-only"});
  if (!isSource(Main))
    Args.insert(Args.end(), {"-x", "c++"});
  Args.insert(Args.end(), {"--", Main});
  return Args;
}

// One translation unit of these sources.
Reading readTogether(const Program &P, const std::vector<std::string> &Sources,
                     const model::AnalysisOptions &Options) {
  auto Begin = std::chrono::steady_clock::now();
  std::string Main = Sources.front();
  std::string Text;
  if (Sources.size() > 1) {
    llvm::SmallString<256> Virtual(P.Directory);
    llvm::sys::path::append(Virtual, MainName);
    Main = std::string(Virtual);
    Text = mainText(Sources);
  }
  Program Clean = P;
  for (bool Again = true;;) {
    Reading Result;
    Diagnostics Problems(Result, Sources);
    // Each reading has a file system of its own, since it carries the working directory.
    llvm::IntrusiveRefCntPtr<llvm::vfs::OverlayFileSystem> Files(
        new llvm::vfs::OverlayFileSystem(llvm::vfs::createPhysicalFileSystem()));
    llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> Memory(
        new llvm::vfs::InMemoryFileSystem);
    Files->pushOverlay(Memory);
    if (!Text.empty())
      Memory->addFile(Main, 0, llvm::MemoryBuffer::getMemBuffer(Text));
    Files->setCurrentWorkingDirectory(P.Directory);
    llvm::IntrusiveRefCntPtr<FileManager> Manager(new FileManager({P.Directory}, Files));
    auto Run = [&] {
      tooling::ToolInvocation Invocation(commandLine(Clean, Main),
                                         std::make_unique<Action>(Result, Problems, Options),
                                         Manager.get());
      Invocation.setDiagnosticConsumer(&Problems);
      Invocation.run();
    };
    // On a thread of its own, since the interpreter recurses as deeply as the program it runs.
    llvm::CrashRecoveryContext Guard;
    if (!Guard.RunSafelyOnThread(Run, 256u << 20)) {
      Result.Analysed = false;
      Result.Reports.clear();
      Result.Crash = "the analysis crashed";
    } else if (!Problems.UnknownArguments.empty() && Again) {
      // A flag of the project's own compiler, which Clang's driver does not know.
      Again = false;
      llvm::erase_if(Clean.Compiler, [&](const std::string &Arg) {
        return llvm::is_contained(Problems.UnknownArguments, Arg);
      });
      continue;
    }
    Result.ReadTogether = {Sources};
    for (const ParseError &Error : Result.Errors)
      if (llvm::StringRef(Error.Missing).starts_with("torch/"))
        Result.SawLibTorch = false;
    if (!Result.SawLibTorch)
      Result.Analysed = false;
    std::chrono::duration<double> Took = std::chrono::steady_clock::now() - Begin;
    std::string Line;
    llvm::raw_string_ostream(Line)
        << "Read " << Sources.size() << (Sources.size() == 1 ? " source" : " sources together")
        << " in " << llvm::format("%.1f", Took.count()) << " s ("
        << llvm::format("%.0f", Result.Stats.Milliseconds)
        << " ms of it analysis): " << llvm::join(Sources, " ");
    Result.Details.push_back(Line);
    return Result;
  }
}

// What the compiler proposes instead depends on what else it has read; the place does not.
bool isSameError(const ParseError &A, const ParseError &B) {
  return A.At.File == B.At.File && A.At.Line == B.At.Line &&
         (A.At.valid() || A.Message == B.Message);
}

void append(Reading &To, Reading From) {
  llvm::move(From.Reports, std::back_inserter(To.Reports));
  llvm::move(From.Remarks, std::back_inserter(To.Remarks));
  llvm::move(From.Details, std::back_inserter(To.Details));
  llvm::move(From.Errors, std::back_inserter(To.Errors));
  llvm::move(From.ReadTogether, std::back_inserter(To.ReadTogether));
  To.Silenced += From.Silenced;
  addStatistics(To.Stats, From.Stats);
  To.Analysed &= From.Analysed;
  To.SawLibTorch &= From.SawLibTorch;
  To.LibTorch = From.LibTorch;
  if (To.Crash.empty())
    To.Crash = From.Crash;
}

} // namespace

Reading readProgram(const Program &P, const model::AnalysisOptions &Options) {
  Reading Together = readTogether(P, P.Sources, Options);
  if (P.Sources.size() == 1 || (Together.Errors.empty() && Together.Crash.empty()) ||
      !Together.SawLibTorch)
    return Together;

  // Which errors come of reading them together? A header that is not found explains the errors
  // around it, except those that tell of a clash. Sources with other errors are read alone to know.
  std::set<std::string> Lacking;
  for (const ParseError &E : Together.Errors)
    if (!E.Missing.empty())
      Lacking.insert(E.Source);
  auto Explained = [&](const ParseError &E) {
    return !E.Missing.empty() || (!E.Clash && Lacking.count(E.Source));
  };
  std::vector<std::string> Rest, Apart;
  std::vector<Reading> Alone;
  for (const std::string &Source : P.Sources) {
    auto Concerns = [&](const ParseError &E) {
      return (E.Source == Source || E.Source.empty()) && !Explained(E);
    };
    if (Together.Crash.empty() && llvm::none_of(Together.Errors, Concerns)) {
      Rest.push_back(Source);
      continue;
    }
    Reading Single = readTogether(P, {Source}, Options);
    bool NewErrors =
        !Together.Crash.empty() || llvm::any_of(Together.Errors, [&](const ParseError &E) {
          return Concerns(E) && llvm::none_of(Single.Errors, [&](const ParseError &S) {
                   return isSameError(E, S);
                 });
        });
    if (NewErrors) {
      Apart.push_back(Source);
      Alone.push_back(std::move(Single));
    } else {
      Rest.push_back(Source);
    }
  }
  if (Apart.empty())
    return Together;
  Reading Result;
  Result.Analysed = true;
  Result.Details.push_back(
      P.Name +
      ": these sources do not go together with the rest of their "
      "program and were read alone: " +
      llvm::join(Apart, " ") + " (" +
      (Together.Errors.empty() ? Together.Crash : Together.Errors.front().Message) + ").");
  if (!Rest.empty()) {
    Program Smaller = P;
    Smaller.Sources = Rest;
    append(Result, readProgram(Smaller, Options));
  }
  for (Reading &Single : Alone)
    append(Result, std::move(Single));
  return Result;
}

} // namespace torch_tidy::tool
