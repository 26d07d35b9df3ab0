#include "CheckRegistry.h"
#include "Commands.h"
#include "FixIts.h"
#include "Options.h"
#include "Text.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <map>
#include <optional>

namespace torch_tidy::tool {

static bool useColors(bool Terminal) {
  return options::Color == llvm::cl::BOU_UNSET ? Terminal : options::Color == llvm::cl::BOU_TRUE;
}

int fail(llvm::StringRef Message) {
  llvm::WithColor::error(llvm::errs(), "torch-tidy") << Message << "\n";
  return 2;
}

static std::optional<Report::Level> failLevel(llvm::StringRef Word, bool &Valid) {
  Valid = true;
  if (Word == "error")
    return Report::Level::Error;
  if (Word == "warning")
    return Report::Level::Warning;
  if (Word == "note")
    return Report::Level::Note;
  Valid = Word == "never" || Word == "none";
  return std::nullopt;
}

/// Which files were followed how far; the least followed first.
static void printCoverage(const model::Statistics &S, llvm::raw_ostream &Out) {
  using Coverage = model::Statistics::Coverage;
  auto Line = [&](const Coverage &C, const std::string &Name) {
    Out << "  " << llvm::format("%6u of %6u (%.1f %%)  ", C.Expressions - C.Untracked, C.Expressions,
                                100.0 * (C.Expressions - C.Untracked) / C.Expressions)
        << Name << "\n";
  };
  Coverage All;
  std::vector<std::pair<Coverage, std::string>> Files;
  for (const auto &[Name, C] : S.Files) {
    All.Expressions += C.Expressions;
    All.Untracked += C.Untracked;
    Files.push_back({C, displayPath(Name)});
  }
  if (Files.empty())
    return;
  std::stable_sort(Files.begin(), Files.end(), [](const auto &A, const auto &B) {
    return A.first.Untracked > B.first.Untracked;
  });
  Out << "Tensor expressions in the source, modelled whenever they were evaluated:\n";
  Line(All, "all files");
  for (const auto &[C, Name] : Files)
    Line(C, Name);
}

static void printStatistics(const CheckResult &Result) {
  const model::Statistics &S = Result.Stats;
  llvm::raw_ostream &Out = llvm::errs();
  Out << "Entry points analysed:        " << S.Roots << "\n"
      << "  of which reach backward():  " << S.RootsReachingBackward
      << (S.RootsReachingBackward < S.Roots ? " (silence in the others proves nothing)" : "")
      << "\n"
      << "Paths:                        " << S.Paths << " (budget used up in " << S.PathBudgetHits
      << " entry points; " << S.Runs << " runs, with those to look behind a defect)\n"
      << "Syntax nodes evaluated:       " << S.Steps << " (budget used up on " << S.StepBudgetHits
      << " paths)\n"
      << "Tensor expressions evaluated: " << S.TensorExpressions << "\n"
      << "  of which not followed:      " << S.Untracked;
  if (S.TensorExpressions)
    Out << llvm::format(" (%.1f %%)", 100.0 * S.Untracked / S.TensorExpressions);
  Out << "\nAnalysis, parsing apart:      " << llvm::format("%.0f", S.Milliseconds) << " ms\n";
  printCoverage(S, Out);
  std::vector<std::pair<unsigned long, std::string>> Reasons;
  for (const auto &[Reason, Count] : S.UntrackedReasons)
    Reasons.push_back({Count, Reason});
  std::stable_sort(Reasons.begin(), Reasons.end(),
                   [](const auto &A, const auto &B) { return A.first > B.first; });
  if (!Reasons.empty())
    Out << "Not followed, most often first:\n";
  for (const auto &[Count, Reason] : Reasons)
    Out << "  " << llvm::format("%6lu", Count) << "  " << Reason << "\n";
}

static void print(const Notification &N) {
  llvm::raw_ostream &Out = llvm::errs();
  if (N.How == Notification::Level::Error)
    llvm::WithColor::error(Out, "torch-tidy") << N.Message << "\n";
  else if (N.How == Notification::Level::Warning)
    llvm::WithColor::warning(Out, "torch-tidy") << N.Message << "\n";
  else
    llvm::WithColor::note(Out, "torch-tidy") << N.Message << "\n";
}

// A project on a machine without its libraries says the same of each source: a few lines are
// printed, or one.
static void printNotifications(const CheckResult &Result) {
  constexpr size_t Few = 3;
  using Kind = Notification::Kind;
  size_t Lacking = 0, Broken = 0;
  std::map<std::string, size_t> Missing;
  for (const Notification &N : Result.Notifications) {
    Lacking += N.About == Kind::MissingHeaders;
    Broken += N.About == Kind::DoesNotParse;
    for (const std::string &Header : N.Missing)
      ++Missing[Header];
  }
  size_t Shown = 0;
  for (const Notification &N : Result.Notifications) {
    if (!options::Verbose && N.About == Kind::MissingHeaders && Lacking > Few)
      continue;
    if (!options::Verbose && N.About == Kind::DoesNotParse && Broken > Few && ++Shown > Few)
      continue;
    print(N);
  }
  if (options::Verbose)
    return;
  if (Lacking > Few) {
    std::vector<std::pair<size_t, std::string>> Most;
    for (const auto &[Header, Count] : Missing)
      Most.push_back({Count, Header});
    std::stable_sort(Most.begin(), Most.end(),
                     [](const auto &A, const auto &B) { return A.first > B.first; });
    std::string Text =
        std::to_string(Lacking) +
        " sources were analysed as far as they were understood, since headers were not found: ";
    constexpr size_t Names = 6;
    for (size_t I = 0; I < std::min(Most.size(), Names); ++I)
      Text += (I ? ", " : "") + Most[I].second + " (" + std::to_string(Most[I].first) + ")";
    if (Most.size() > Names)
      Text += " and " + std::to_string(Most.size() - Names) + " more";
    print({Notification::Level::Warning, Text + " (--verbose names the sources)", {}});
  }
  if (Broken > Few)
    print({Notification::Level::Error,
           std::to_string(Broken - Few) + " more do not parse (--verbose names them)",
           {}});
}

static void printSummary(const CheckResult &Result) {
  size_t Errors = 0, Warnings = 0, Fixed = 0;
  for (const Report &R : Result.Reports) {
    Errors += R.level() == Report::Level::Error;
    Warnings += R.level() == Report::Level::Warning;
    Fixed += R.Fixed;
  }
  llvm::errs() << "torch-tidy: " << Result.Sources << (Result.Sources == 1 ? " source" : " sources")
               << ": " << Errors << " definite, " << Warnings << " possible";
  if (Fixed)
    llvm::errs() << ", " << Fixed << " repaired";
  if (Result.Silenced)
    llvm::errs() << ", " << Result.Silenced << " silenced by NOLINT";
  if (Result.Incomplete)
    llvm::errs() << ", " << Result.Incomplete << " understood only in part";
  if (unsigned Roots = Result.Stats.PathBudgetHits)
    llvm::errs() << "; " << Roots << (Roots == 1 ? " entry point was" : " entry points were")
                 << " not followed on every path (--verbose says which)";
  llvm::errs() << "\n";
}

int checkCommand() {
  if (options::Format != "text" && options::Format != "sarif")
    return fail("unknown format '" + options::Format + "': the formats are text and sarif");
  bool ValidFailOn = false;
  std::optional<Report::Level> FailAt = failLevel(options::FailOn, ValidFailOn);
  if (!ValidFailOn)
    return fail("'" + options::FailOn +
                "' is no level: --fail-on takes error, warning, note or never");

  llvm::Expected<CheckResult> Found = check(checkRequest());
  if (!Found)
    return fail(llvm::toString(Found.takeError()));
  CheckResult &Result = *Found;

  if (options::Fix) {
    std::vector<std::string> Remarks;
    if (llvm::Error Error = applyFixes(Result.Reports, Remarks))
      return fail(llvm::toString(std::move(Error)));
    for (const std::string &Remark : Remarks)
      Result.Notifications.push_back({Notification::Level::Note, Remark, {}});
  }

  int Status = 0;
  for (const Report &R : Result.Reports)
    if (FailAt && !R.Fixed && R.level() >= *FailAt)
      Status = 1;
  // Nothing found in what was not understood is no clean bill.
  if (Result.Failed || (Status == 0 && Result.Incomplete && !options::AcceptIncomplete))
    Status = 2;

  SarifRun Run;
  Run.ExitCode = Status;
  Run.Notifications = Result.Notifications;
  Run.Groups = Result.Groups;
  bool Sarif = options::Format == "sarif";
  auto Write = [&](llvm::raw_ostream &Out, bool Terminal) {
    if (Sarif)
      writeSarif(Out, Result.Reports, Run);
    else
      printText(Out, Result.Reports, {useColors(Terminal), options::Explanations});
  };

  printNotifications(Result);
  if (options::Verbose)
    for (const std::string &Detail : Result.Details)
      llvm::errs() << Detail << "\n";

  if (!options::Output.empty()) {
    // In one step: a reader never sees half of it, and what was there stays when writing fails.
    if (llvm::Error Error = llvm::writeToOutput(options::Output, [&](llvm::raw_ostream &Out) {
          Write(Out, /*Terminal=*/false);
          return llvm::Error::success();
        }))
      return fail("cannot write '" + options::Output + "': " + llvm::toString(std::move(Error)));
  } else if (Sarif) {
    Write(llvm::outs(), llvm::outs().is_displayed());
    llvm::outs().flush();
  } else {
    // Text is for people; standard output belongs to the machine formats.
    Write(llvm::errs(), llvm::errs().is_displayed());
  }
  if (options::Stats)
    printStatistics(Result);
  printSummary(Result);
  return Status;
}

} // namespace torch_tidy::tool
