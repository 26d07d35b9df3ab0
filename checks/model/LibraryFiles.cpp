#include "LibraryFiles.h"

#include "clang/Basic/SourceManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <mutex>

namespace torch_tidy::model {

bool LibraryFiles::isLibTorchPath(llvm::StringRef Path) {
  // The include root is what stands before the first of these components.
  static const llvm::StringRef Marks[] = {"/torch/csrc/", "/ATen/", "/c10/", "/caffe2/", "/torch/"};
  static std::mutex Lock;
  static llvm::StringMap<bool> Roots;
  for (llvm::StringRef Mark : Marks) {
    for (size_t At = Path.find(Mark); At != llvm::StringRef::npos; At = Path.find(Mark, At + 1)) {
      llvm::StringRef Root = Path.take_front(At);
      std::lock_guard<std::mutex> Guard(Lock);
      auto [It, New] = Roots.try_emplace(Root, false);
      if (New) {
        llvm::SmallString<256> Probe(Root);
        llvm::sys::path::append(Probe, "ATen", "core", "Tensor.h");
        It->second = llvm::sys::fs::exists(Probe);
        Probe = Root; // torch/csrc/api/include is a root of its own
        if (Root.ends_with("torch/csrc/api/include"))
          It->second = true;
      }
      if (It->second)
        return true;
    }
  }
  return false;
}

/// Where packages install headers: nobody's project lies there, whatever flag named the folder.
static bool isInstalled(llvm::StringRef Path) {
  return Path.starts_with("/usr/include/") || Path.starts_with("/usr/local/include/") ||
         Path.starts_with("/usr/lib/") || Path.starts_with("/opt/");
}

LibraryFiles::Kind LibraryFiles::kindOf(clang::SourceLocation Loc) const {
  if (Loc.isInvalid())
    return Library;
  clang::FileID File = Sources.getFileID(Sources.getExpansionLoc(Loc));
  auto It = Known.find(File);
  if (It != Known.end())
    return It->second;
  Kind K = User;
  clang::SourceLocation Start = Sources.getLocForStartOfFile(File);
  if (auto Entry = Sources.getFileEntryRefForID(File)) {
    llvm::StringRef Name = Entry->getName();
    // A compile database names include folders as they are seen from its own folder.
    llvm::StringRef Full = Entry->getFileEntry().tryGetRealPathName();
    if (Name.contains("/torch_tidy/") && Name.ends_with(".h"))
      K = OwnRuntime;
    else if (isLibTorchPath(Name) || isLibTorchPath(Full) || isInstalled(Name))
      K = Library;
  }
  if (K == User && Sources.isInSystemHeader(Start))
    K = Library;
  Known[File] = K;
  return K;
}

bool LibraryFiles::contains(clang::SourceLocation Loc) const { return kindOf(Loc) != User; }

bool LibraryFiles::isOwnRuntime(clang::SourceLocation Loc) const {
  return kindOf(Loc) == OwnRuntime;
}

} // namespace torch_tidy::model
