#include "Project.h"

#include "Programs.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

static std::string under(llvm::StringRef Folder, llvm::StringRef Name) {
  llvm::SmallString<256> Result(Folder);
  path::append(Result, Name);
  path::remove_dots(Result, /*remove_dot_dot=*/true);
  return std::string(Result);
}

static bool isHeader(llvm::StringRef Name) {
  return llvm::is_contained({".h", ".hpp", ".hh", ".hxx", ".h++", ".inl", ".ipp", ".tpp", ".cuh"},
                            path::extension(Name));
}

static bool looksLikeProject(llvm::StringRef Folder) {
  return llvm::any_of(std::initializer_list<const char *>{"CMakeLists.txt", "README.md", "README", "README.rst", "README.txt",
                       "LICENSE", "LICENSE.txt", "LICENSE.md", "COPYING", "Makefile",
                       "meson.build", "BUILD.bazel", "setup.py", "conanfile.txt", "xmake.lua"},
                      [&](const char *Name) { return fs::exists(under(Folder, Name)); });
}

// Folders of everybody's are no project, whatever lies in them.
static bool isCommon(llvm::StringRef Folder) {
  llvm::SmallString<128> Home;
  if (path::home_directory(Home) && Folder == Home)
    return true;
  return Folder.empty() || Folder == path::root_path(Folder) || Folder == "/tmp" ||
         Folder == "/home" || Folder == "/usr" || Folder == "/opt" || Folder == "/root" ||
         Folder == "/var/tmp";
}

Project Project::around(llvm::StringRef FileOrFolder) {
  Project Result;
  llvm::StringRef Start =
      fs::is_directory(FileOrFolder) ? FileOrFolder : path::parent_path(FileOrFolder);
  bool Deep = false;
  constexpr int MostPlain = 2; // folders in between that look like nothing
  int Plain = 0;
  for (llvm::StringRef Dir = Start; !isCommon(Dir) && Plain <= MostPlain;
       Dir = path::parent_path(Dir)) {
    if (fs::exists(under(Dir, "CMakeCache.txt")))
      break; // a build tree: what lies outside is not about what was generated
    bool Checkout = fs::exists(under(Dir, ".git"));
    if (Checkout || looksLikeProject(Dir)) {
      Result.Root = Dir.str();
      Deep = true;
      Plain = 0;
      if (Checkout)
        break;
    } else {
      ++Plain;
    }
  }
  if (!Deep) {
    Result.Root = Start.str();
    // src/net.cpp: its headers may be in ../include.
    if (!fs::is_directory(FileOrFolder) &&
        llvm::is_contained({"src", "source", "sources", "app", "apps", "test", "tests"},
                           path::filename(Start)) &&
        !isCommon(path::parent_path(Start)))
      Result.Root = path::parent_path(Start).str();
    Deep = fs::is_directory(FileOrFolder);
  }
  Result.collect(Result.Root, Deep);
  if (!Deep)
    for (const char *Sub : {"include", "inc", "headers", "src", "source", "sources"})
      if (fs::is_directory(under(Result.Root, Sub)))
        Result.collect(under(Result.Root, Sub), /*Deep=*/true);
  llvm::sort(Result.Sources);
  llvm::sort(Result.Lists);
  return Result;
}

void Project::collect(llvm::StringRef Folder, bool Deep) {
  constexpr unsigned MostEntries = 50000;
  unsigned Entries = 0;
  std::error_code Error;
  for (fs::recursive_directory_iterator It(Folder, Error, /*follow_symlinks=*/false), End;
       !Error && It != End && Entries < MostEntries; It.increment(Error), ++Entries) {
    llvm::StringRef File = It->path(), Name = path::filename(File);
    if (It->type() == fs::file_type::directory_file) {
      // Hidden folders, build trees, and a LibTorch that was unpacked in the project.
      if (!Deep || Name.starts_with(".") || Name == "node_modules" ||
          fs::exists(under(File, "CMakeCache.txt")) || fs::exists(under(File, "torch/csrc/api")) ||
          fs::exists(under(File, "include/torch/csrc/api")))
        It.no_push();
    } else if (Name == "CMakeLists.txt") {
      Lists.push_back(File.str());
    } else if (isSource(Name)) {
      Sources.push_back(File.str());
    } else if (isHeader(Name)) {
      Headers.insert({Name.str(), File.str()});
    }
  }
}

void Project::addSource(const std::string &File) {
  auto At = llvm::lower_bound(Sources, File);
  if (At == Sources.end() || *At != File)
    Sources.insert(At, File);
}

// How near a header lies: the folders it shares with the including file from the root down, then
// any others of the same name (source/rpn/x.cpp and include/rpn/x.h).
static std::pair<unsigned, unsigned> nearness(llvm::StringRef From, llvm::StringRef Header) {
  std::vector<std::string> A, B;
  llvm::StringRef FromDir = path::parent_path(From), HeaderDir = path::parent_path(Header);
  for (auto It = path::begin(FromDir); It != path::end(FromDir); ++It)
    A.push_back(It->str());
  for (auto It = path::begin(HeaderDir); It != path::end(HeaderDir); ++It)
    B.push_back(It->str());
  unsigned Common = 0, Others = 0;
  while (Common < A.size() && Common < B.size() && A[Common] == B[Common])
    ++Common;
  for (size_t I = Common; I < B.size(); ++I)
    Others += std::find(A.begin() + Common, A.end(), B[I]) != A.end();
  return {Common, Others};
}

// <string.h> is never a file of the project's, nor may its folder be searched for that name.
static bool isSystemHeader(llvm::StringRef Name) {
  static const std::vector<std::string> Folders = [] {
    std::vector<std::string> Result{"/usr/include", "/usr/local/include"};
    std::error_code Error;
    for (fs::directory_iterator It("/usr/include/c++", Error), End; !Error && It != End;
         It.increment(Error))
      Result.push_back(It->path());
    return Result;
  }();
  return llvm::any_of(Folders,
                      [&](const std::string &Dir) { return fs::exists(under(Dir, Name)); });
}

Project::Header Project::resolve(llvm::StringRef From, const Include &What) {
  if (What.Angled && isSystemHeader(What.Name))
    return {};
  if (!What.Angled)
    if (std::string Beside = under(path::parent_path(From), What.Name);
        fs::is_regular_file(Beside))
      return {Beside, ""};
  std::string Tail = "/" + What.Name;
  if (llvm::StringRef(Tail).contains("/../") || llvm::StringRef(Tail).contains("/./"))
    return {};
  std::string Best;
  std::pair<unsigned, unsigned> Distance;
  bool Tie = false;
  auto [Begin, End] = Headers.equal_range(path::filename(What.Name).str());
  for (auto It = Begin; It != End; ++It) {
    if (!llvm::StringRef(It->second).ends_with(Tail))
      continue;
    auto D = nearness(From, It->second);
    if (Best.empty() || D > Distance) {
      Best = It->second;
      Distance = D;
      Tie = false;
    } else if (D == Distance) {
      Tie = true;
    }
  }
  // Of two that are as likely neither is taken.
  if (Best.empty() || Tie)
    return {};
  return {Best, Best.substr(0, Best.size() - Tail.size())};
}

const Project::Scanned &Project::scan(const std::string &File) {
  auto [It, New] = Scans.try_emplace(File);
  if (New)
    if (auto Buffer = llvm::MemoryBuffer::getFile(File)) {
      It->second.Scan = scanSource((*Buffer)->getBuffer());
      for (const Include &What : It->second.Scan.Includes)
        It->second.Direct.push_back(resolve(File, What));
    }
  return It->second;
}

const std::set<std::string> &Project::reach(const std::string &File) {
  auto [It, New] = Reached.try_emplace(File);
  if (!New)
    return It->second;
  std::set<std::string> Found;
  std::vector<std::string> Work{File};
  while (!Work.empty()) {
    std::string Current = std::move(Work.back());
    Work.pop_back();
    for (const Header &H : scan(Current).Direct)
      if (!H.File.empty() && Found.insert(H.File).second)
        Work.push_back(H.File);
  }
  return Reached[File] = std::move(Found);
}

} // namespace torch_tidy::tool
