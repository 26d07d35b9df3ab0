#include "FixIts.h"

#include "Text.h"

#include "clang/Tooling/Core/Replacement.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
using clang::tooling::Replacement;
using clang::tooling::Replacements;

// One file may be reached under several names; it must be written once.
static std::string realPath(const std::string &File) {
  llvm::SmallString<256> Real;
  return fs::real_path(File, Real) ? File : std::string(Real);
}

llvm::Error applyFixes(std::vector<Report> &Reports, std::vector<std::string> &Remarks) {
  std::map<std::string, Replacements> Files;
  std::vector<Report *> Fixed;
  for (Report &R : Reports) {
    if (R.Edits.empty())
      continue;
    std::map<std::string, Replacements> Tried = Files;
    bool Fits = true;
    for (const Edit &E : R.Edits) {
      std::string File = realPath(E.Begin.File);
      llvm::Error Conflict =
          Tried[File].add(Replacement(File, E.Begin.Offset, E.End.Offset - E.Begin.Offset, E.Text));
      Fits &= !Conflict;
      llvm::consumeError(std::move(Conflict));
    }
    if (!Fits) {
      Remarks.push_back(displayPath(R.At.File) + ":" + std::to_string(R.At.Line) +
                        ": this repair overlaps another one and was left out: run --fix again.");
      continue;
    }
    Files = std::move(Tried);
    Fixed.push_back(&R);
  }
  for (const auto &[File, Edits] : Files) {
    auto Buffer = llvm::MemoryBuffer::getFile(File, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!Buffer)
      return llvm::createStringError("cannot read '" + File + "': " + Buffer.getError().message());
    llvm::Expected<std::string> Text =
        clang::tooling::applyAllReplacements((*Buffer)->getBuffer(), Edits);
    if (!Text)
      return Text.takeError();
    llvm::ErrorOr<fs::perms> Mode = fs::getPermissions(File);
    if (fs::access(File, fs::AccessMode::Write))
      return llvm::createStringError("cannot repair '" + File + "': it is not writable");
    if (llvm::Error Error = llvm::writeToOutput(File, [&](llvm::raw_ostream &Out) {
          Out << *Text;
          return llvm::Error::success();
        }))
      return llvm::createStringError("cannot write '" + File +
                                     "': " + llvm::toString(std::move(Error)));
    if (Mode)
      fs::setPermissions(File, *Mode);
  }
  for (Report *R : Fixed)
    R->Fixed = true;
  return llvm::Error::success();
}

} // namespace torch_tidy::tool
