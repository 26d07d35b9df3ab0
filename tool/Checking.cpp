#include "Checking.h"

#include "CheckRegistry.h"
#include "Frontend.h"
#include "Text.h"

#include "clang-tidy/ClangTidyOptions.h"
#include "clang-tidy/GlobList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/Threading.h"

#include <map>
#include <tuple>

namespace torch_tidy::tool {

// --checks: a list that begins by leaving one out begins with all.
static llvm::Expected<std::string> checkGlobs(llvm::StringRef Given) {
  if (Given.empty())
    return std::string("torch-*");
  llvm::SmallVector<llvm::StringRef, 8> Globs;
  Given.split(Globs, ',', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef Glob : Globs) {
    llvm::StringRef Positive = Glob.trim();
    Positive.consume_front("-");
    clang::tidy::GlobList One(Positive);
    if (llvm::any_of(allChecks(), [&](const CheckInfo &C) { return One.contains(C.Name); }))
      continue;
    std::string Names;
    for (const CheckInfo &C : allChecks())
      Names += (Names.empty() ? "" : ", ") + C.Name.str();
    return llvm::createStringError("unknown check '" + Positive.str() + "': the checks are " +
                                   Names);
  }
  return (Given.starts_with("-") ? "torch-*," : "") + Given.str();
}

namespace {
// What the .clang-tidy files above a source say about our checks. A list that leaves everything out
// with "-*" is about clang-tidy's checks; torch-tidy was asked for its own by being run.
class ConfigFiles {
public:
  bool allows(const std::string &File, llvm::StringRef Check) {
    auto [It, New] = Lists.try_emplace(File);
    if (New)
      It->second = std::make_unique<clang::tidy::GlobList>(globsFor(File));
    return It->second->contains(Check);
  }

private:
  std::string globsFor(const std::string &File) {
    std::string Result = "torch-*";
    std::string Checks = Provider.getOptions(File).Checks.value_or("");
    llvm::SmallVector<llvm::StringRef, 16> Globs;
    llvm::StringRef(Checks).split(Globs, ',', -1, /*KeepEmpty=*/false);
    for (llvm::StringRef Glob : Globs) {
      Glob = Glob.trim();
      if (Glob.starts_with("torch-") || Glob.starts_with("-torch-"))
        Result += "," + Glob.str();
    }
    return Result;
  }

  clang::tidy::FileOptionsProvider Provider{clang::tidy::ClangTidyGlobalOptions(),
                                            clang::tidy::ClangTidyOptions(),
                                            clang::tidy::ClangTidyOptions()};
  std::map<std::string, std::unique_ptr<clang::tidy::GlobList>> Lists;
};
} // namespace

static std::string countOf(size_t Count, llvm::StringRef What) {
  return std::to_string(Count) + " " + What.str() + (Count == 1 ? "" : "s");
}

static std::string standardOf(const std::vector<std::string> &Compiler) {
  for (llvm::StringRef Flag : llvm::reverse(Compiler))
    if (Flag.consume_front("-std="))
      return Flag.str();
  return "Clang's default standard";
}

// One notification per source that was not, or not wholly, understood. A source of several programs
// is told of once; one that was not asked about, in the details.
static void notify(CheckResult &Result, const Program &P, const Reading &R,
                   std::set<std::string> &Told) {
  std::map<std::string, std::vector<const ParseError *>> BySource;
  for (const ParseError &Error : R.Errors)
    BySource[Error.Source.empty() ? P.Sources.front() : Error.Source].push_back(&Error);
  for (const auto &[Source, Errors] : BySource) {
    if (!Told.insert(Source).second)
      continue;
    const ParseError *First = Errors.front();
    std::set<std::string> Missing;
    bool TorchMissing = false;
    for (const ParseError *Error : Errors)
      if (!Error->Missing.empty()) {
        Missing.insert("'" + Error->Missing + "'");
        TorchMissing |= llvm::StringRef(Error->Missing).starts_with("torch/");
      }
    Notification N;
    N.At = First->At;
    std::string Name = displayPath(Source);
    if (TorchMissing) {
      N.How = Notification::Level::Error;
      N.Message =
          Name + " was not analysed: LibTorch's header " + *Missing.begin() +
          " was not found: name LibTorch with --torch DIR, or give the project's flags with "
          "-p BUILD or after --";
    } else if (!Missing.empty()) {
      N.How = Notification::Level::Warning;
      N.About = Notification::Kind::MissingHeaders;
      N.Missing.assign(Missing.begin(), Missing.end());
      N.Message = Name + " was analysed as far as it was understood: " + llvm::join(Missing, ", ") +
                  " not found" +
                  (Errors.size() > Missing.size()
                       ? " (" + countOf(Errors.size() - Missing.size(), "further error") + ")"
                       : "");
    } else {
      N.How = Notification::Level::Error;
      N.About = Notification::Kind::DoesNotParse;
      N.Message = Name + " does not parse: ";
      if (First->At.valid())
        N.Message += displayPath(First->At.File) + ":" + std::to_string(First->At.Line) + ":" +
                     std::to_string(First->At.Column) + ": ";
      N.Message += First->Message;
      if (Errors.size() > 1)
        N.Message += " (and " + countOf(Errors.size() - 1, "further error") + ")";
      N.Message += ": mend it, or give the flags it is compiled with, or the LibTorch it was "
                   "written for (read here as " +
                   standardOf(P.Compiler) + " with " + R.LibTorch + ")";
    }
    if (!llvm::is_contained(P.Asked, Source) && !TorchMissing) {
      Result.Details.push_back(N.Message + ".");
      continue;
    }
    Result.Failed |= N.How == Notification::Level::Error;
    Result.Incomplete += N.About == Notification::Kind::MissingHeaders;
    Result.Notifications.push_back(std::move(N));
  }
  if (!R.Crash.empty() || (!R.Analysed && R.Errors.empty())) {
    Result.Failed = true;
    Notification N;
    N.How = Notification::Level::Error;
    N.Message = P.Name + ": " + (R.Crash.empty() ? "could not be read" : R.Crash) +
                ": please report this with the source: " + displayPath(P.Sources.front());
    Result.Notifications.push_back(std::move(N));
  }
}

llvm::Expected<CheckResult> check(const CheckRequest &Request) {
  llvm::Expected<std::string> Globs = checkGlobs(Request.Checks);
  if (!Globs)
    return Globs.takeError();
  llvm::Expected<std::vector<Program>> Programs = findPrograms(Request.Programs);
  if (!Programs)
    return Programs.takeError();

  llvm::CrashRecoveryContext::Enable();
  std::vector<Reading> Readings(Programs->size());
  {
    llvm::DefaultThreadPool Pool(llvm::hardware_concurrency(Request.Jobs));
    for (size_t I = 0; I < Programs->size(); ++I)
      Pool.async([&, I] { Readings[I] = readProgram((*Programs)[I], Request.Model); });
    Pool.wait();
  }

  CheckResult Result;
  clang::tidy::GlobList Wanted(*Globs);
  ConfigFiles Config;
  std::set<std::string> Heard, Sources, Told;
  std::map<std::tuple<std::string, unsigned, std::string>, Report> ByPlace;
  for (size_t I = 0; I < Readings.size(); ++I) {
    const Program &P = (*Programs)[I];
    Reading &R = Readings[I];
    notify(Result, P, R, Told);
    for (const std::string &Remark : R.Remarks)
      if (Heard.insert(Remark).second)
        Result.Notifications.push_back({Notification::Level::Note, Remark, {}});
    llvm::move(R.Details, std::back_inserter(Result.Details));
    for (const std::vector<std::string> &Together : R.ReadTogether)
      Result.Groups.push_back({Together, P.Directory, P.Compiler});
    Result.Silenced += R.Silenced;
    addStatistics(Result.Stats, R.Stats);
    Sources.insert(P.Asked.begin(), P.Asked.end());
    for (Report &F : R.Reports) {
      bool OthersQuestion =
          llvm::is_contained(P.Sources, F.At.File) && !llvm::is_contained(P.Asked, F.At.File);
      if (OthersQuestion || !Wanted.contains(F.Check) || !Config.allows(F.At.File, F.Check))
        continue;
      // A header's finding comes once from every program that includes it. Certain in one of them
      // is certain.
      auto [It, New] = ByPlace.try_emplace({F.At.File, F.At.Offset, F.Check}, F);
      if (!New && It->second.How == model::Certainty::Possible)
        It->second = F;
    }
  }
  for (auto &[Key, R] : ByPlace)
    Result.Reports.push_back(std::move(R));
  Result.Sources = Sources.size();
  return Result;
}

} // namespace torch_tidy::tool
