// Which files are libraries and which are the user's. LibTorch is known by where its headers lie:
// projects pass it by -I as often as by -isystem.
#pragma once

#include "clang/Basic/SourceLocation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"

namespace clang {
class SourceManager;
} // namespace clang

namespace torch_tidy::model {

class LibraryFiles {
public:
  explicit LibraryFiles(const clang::SourceManager &Sources) : Sources(Sources) {}

  /// True for system headers, for headers that packages installed (below /usr/include,
  /// /usr/local/include, /opt), and for anything below a LibTorch include root. Invalid locations
  /// (built-in declarations) count as library. Constant time after a file's first question.
  bool contains(clang::SourceLocation Loc) const;

  /// True for a header of torch-tidy's own run-time library (<torch_tidy/...>).
  bool isOwnRuntime(clang::SourceLocation Loc) const;

  /// Whether a path is one of LibTorch's own headers: it lies in a directory tree that LibTorch
  /// alone has (ATen/, c10/, torch/csrc/, caffe2/, torchgen...) below an include root that has
  /// torch/version.h or torch/torch.h as well.
  static bool isLibTorchPath(llvm::StringRef Path);

private:
  enum Kind : unsigned char { User, Library, OwnRuntime };
  Kind kindOf(clang::SourceLocation Loc) const;

  const clang::SourceManager &Sources;
  mutable llvm::DenseMap<clang::FileID, Kind> Known;
};

} // namespace torch_tidy::model
