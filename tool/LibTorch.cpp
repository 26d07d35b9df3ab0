#include "LibTorch.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Regex.h"

#include <optional>

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static std::string under(llvm::StringRef Dir, llvm::StringRef Rest) {
  llvm::SmallString<256> Result(Dir);
  path::append(Result, Rest);
  return std::string(Result);
}

static std::string read(llvm::StringRef File) {
  auto Buffer = llvm::MemoryBuffer::getFile(File);
  return Buffer ? (*Buffer)->getBuffer().str() : std::string();
}

static std::string versionOf(llvm::StringRef Text) {
  std::string Version;
  for (llvm::StringRef Part : {"MAJOR", "MINOR", "PATCH"}) {
    llvm::SmallVector<llvm::StringRef, 2> Match;
    llvm::Regex Define(("#define TORCH_VERSION_" + Part + " ([0-9]+)").str());
    if (!Define.match(Text, &Match))
      return "";
    Version += (Version.empty() ? "" : ".") + Match[1].str();
  }
  return Version;
}

// LibTorch under one include directory that holds torch/csrc/api/include.
static std::optional<LibTorch> inIncludeDir(llvm::StringRef Root, llvm::StringRef Include) {
  std::string Api = under(Include, "torch/csrc/api/include");
  std::string All = under(Api, "torch/all.h");
  if (!fs::exists(under(Api, "torch/torch.h")))
    return std::nullopt;
  LibTorch Found;
  Found.Root = Root.str();
  // The system's directory is searched anyway, and must stay behind libstdc++'s.
  if (Include != "/usr/include")
    Found.IncludeDirs.push_back(Include.str());
  Found.IncludeDirs.push_back(Api);
  // 2.x moved the numbers and left an #include of the new place.
  Found.Version = versionOf(read(under(Api, "torch/version.h")));
  if (Found.Version.empty())
    Found.Version = versionOf(read(under(Include, "torch/headeronly/version.h")));
  // The headers say themselves what they need: 2.15 stops below C++20, while 1.13's do not parse as
  // C++20 with libstdc++ 12.
  Found.Standard = llvm::StringRef(read(All)).contains("202002L") ? "c++20" : "c++17";
  return Found;
}

static std::optional<LibTorch> inRoot(llvm::StringRef Given) {
  llvm::SmallString<256> Root(Given);
  fs::make_absolute(Root);
  path::remove_dots(Root, /*remove_dot_dot=*/true);
  // <root>/share/cmake/Torch and <root>/lib/cmake/Torch are what Torch_DIR names.
  llvm::StringRef Up = path::parent_path(path::parent_path(path::parent_path(Root)));
  for (const std::string &Include :
       {under(Root, "include"), under(Root, "torch/include"), under(Root, "libtorch/include"),
        std::string(Root), under(Up, "include")}) {
    if (Include == under(Up, "include") && path::filename(Root) != "Torch")
      continue;
    if (std::optional<LibTorch> Found = inIncludeDir(Root, Include))
      return Found;
  }
  return std::nullopt;
}

static std::string pythonsTorch() {
  llvm::ErrorOr<std::string> Python = llvm::sys::findProgramByName("python3");
  if (!Python)
    return "";
  llvm::SmallString<128> Output;
  if (fs::createTemporaryFile("torch-tidy", "txt", Output))
    return "";
  // Found without importing: importing torch takes seconds.
  std::string Script = "import importlib.util as u; s = u.find_spec('torch'); "
                       "print(list(s.submodule_search_locations)[0] if s else '')";
  std::optional<llvm::StringRef> Redirects[] = {llvm::StringRef(""), llvm::StringRef(Output),
                                                llvm::StringRef("")};
  int Status = llvm::sys::ExecuteAndWait(*Python, {*Python, "-c", Script}, std::nullopt, Redirects,
                                         /*SecondsToWait=*/10);
  std::string Text = read(Output);
  fs::remove(Output);
  return Status == 0 ? llvm::StringRef(Text).trim().str() : "";
}

// Newest first.
static std::vector<std::string> cached() {
  llvm::SmallString<256> Cache;
  if (!path::cache_directory(Cache))
    return {};
  path::append(Cache, "torch-tidy");
  std::vector<std::string> Found;
  std::error_code Error;
  for (fs::directory_iterator It(Cache, Error), End; !Error && It != End; It.increment(Error))
    if (path::filename(It->path()).starts_with("libtorch-"))
      Found.push_back(It->path());
  llvm::sort(Found, [](llvm::StringRef A, llvm::StringRef B) { return A.compare_numeric(B) > 0; });
  return Found;
}

std::vector<std::string> LibTorch::flags() const {
  std::vector<std::string> Flags{"-std=" + Standard};
  for (const std::string &Dir : IncludeDirs) {
    Flags.push_back("-isystem");
    Flags.push_back(Dir);
  }
  return Flags;
}

llvm::Expected<LibTorch> findLibTorch(llvm::StringRef Chosen) {
  if (!Chosen.empty()) {
    if (std::optional<LibTorch> Found = inRoot(Chosen))
      return *Found;
    return llvm::createStringError("no LibTorch in '" + Chosen.str() +
                                   "': --torch takes the folder that holds "
                                   "include/torch/csrc/api/include/torch/torch.h");
  }
  using llvm::sys::Process;
  llvm::SmallVector<llvm::StringRef, 8> Prefixes;
  std::string Path = Process::GetEnv("CMAKE_PREFIX_PATH").value_or("");
  llvm::SplitString(Path, Prefixes, ":;");
  for (llvm::StringRef Prefix : Prefixes)
    if (std::optional<LibTorch> Found = inRoot(Prefix))
      return *Found;
  if (std::optional<std::string> Dir = Process::GetEnv("Torch_DIR"))
    if (std::optional<LibTorch> Found = inRoot(*Dir))
      return *Found;
  if (std::string Dir = pythonsTorch(); !Dir.empty())
    if (std::optional<LibTorch> Found = inRoot(Dir))
      return *Found;
  for (const std::string &Dir : cached())
    if (std::optional<LibTorch> Found = inRoot(Dir))
      return *Found;
  if (std::optional<LibTorch> Found = inRoot("/usr"))
    return *Found;
  return llvm::createStringError(
      "LibTorch was not found in CMAKE_PREFIX_PATH, Torch_DIR, Python's torch, torch-tidy's cache "
      "folder or /usr: name it with --torch DIR, or give a compile database with -p BUILD");
}

} // namespace torch_tidy::tool
