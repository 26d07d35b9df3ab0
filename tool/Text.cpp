#include "Text.h"

#include "SourceLines.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

#include <algorithm>

namespace torch_tidy::tool {

std::string displayPath(llvm::StringRef File) {
  llvm::SmallString<256> Here;
  if (llvm::sys::fs::current_path(Here))
    return File.str();
  if (Here != "/")
    Here += '/';
  File.consume_front(Here);
  return File.str();
}

llvm::StringRef meaning(model::Outcome Predicted) {
  switch (Predicted) {
  case model::Outcome::Throws:
    return "the operation itself or backward() raises an error";
  case model::Outcome::Undefined:
    return "after backward() a parameter that should get a gradient has none: its grad() is "
           "undefined";
  case model::Outcome::Zero:
    return "a parameter's gradient is defined but all zero, so it never learns";
  case model::Outcome::Underflow:
    return "a gradient is zero or subnormal only because of the reduced-precision run";
  case model::Outcome::Wrong:
    return "nothing is raised, but a gradient, or the forward value that feeds the loss, is "
           "silently "
           "another than in the corrected program";
  case model::Outcome::Stale:
    return "the optimizer steps other or old weights, or gradients accumulate unintentionally";
  case model::Outcome::Benign:
    return "it looks suspicious, but trains exactly like the corrected program";
  }
  return "";
}

static void print(llvm::raw_ostream &Out, SourceLines &Lines, const Place &At,
                  llvm::SourceMgr::DiagKind Kind, const std::string &Message,
                  const TextOptions &Options) {
  std::string Line = Lines.line(At.File, At.Line);
  // A line that --fix has shortened meanwhile may end before the place (SMDiagnostic does not look).
  unsigned Length = static_cast<unsigned>(Line.size());
  std::pair<unsigned, unsigned> Range(std::min(At.Column - 1, Length),
                                      std::min(At.EndColumn - 1, Length));
  llvm::SourceMgr None;
  llvm::SMDiagnostic(None, llvm::SMLoc(), displayPath(At.File), At.Line, At.Column - 1, Kind,
                     Message, Line, Range)
      .print(nullptr, Out, Options.Colors);
}

void printText(llvm::raw_ostream &Out, const std::vector<Report> &Reports,
               const TextOptions &Options) {
  using llvm::SourceMgr;
  if (Options.Colors) {
    // SMDiagnostic colours where it is told to and detects a terminal; here both are settled.
    Out.enable_colors(true);
    llvm::WithColor::setAutoDetectFunction([](const llvm::raw_ostream &) { return true; });
  }
  SourceLines Lines;
  for (const Report &R : Reports) {
    SourceMgr::DiagKind Kind = R.level() == Report::Level::Error     ? SourceMgr::DK_Error
                               : R.level() == Report::Level::Warning ? SourceMgr::DK_Warning
                                                                     : SourceMgr::DK_Note;
    print(Out, Lines, R.At, Kind, R.Wording + " [" + R.Check + "]", Options);
    for (const Step &S : R.Chain)
      print(Out, Lines, S.At, SourceMgr::DK_Note, S.Message, Options);
    if (Options.Explain)
      print(Out, Lines, R.At, SourceMgr::DK_Remark,
            std::string(autograd::word(R.Predicted)) + ": " + meaning(R.Predicted).str() +
                (R.How == model::Certainty::Definite
                     ? "; this holds on every path that reaches backward()"
                     : "; this holds on some path, or depends on a caller"),
            Options);
    if (R.Fixed)
      print(Out, Lines, R.At, SourceMgr::DK_Note, "repaired", Options);
  }
}

} // namespace torch_tidy::tool
