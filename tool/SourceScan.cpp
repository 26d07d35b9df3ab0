#include "SourceScan.h"

#include "clang/Basic/LangOptions.h"
#include "clang/Basic/SourceLocation.h"
#include "clang/Lex/Lexer.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <map>
#include <set>

namespace torch_tidy::tool {

using namespace clang;

SourceScan scanSource(llvm::StringRef Text) {
  LangOptions Language;
  Language.CPlusPlus = Language.CPlusPlus11 = Language.CPlusPlus17 = Language.LineComment = true;
  // The lexer wants its text to end in a zero byte.
  std::string Copy = Text.str();
  Lexer Lex(SourceLocation(), Language, Copy.data(), Copy.data(), Copy.data() + Copy.size());
  SourceScan Scan;
  Token Tok;
  auto Next = [&] { return Lex.LexFromRawLexer(Tok), !Tok.is(tok::eof); };
  int Depth = 0;
  bool AfterMain = false;
  while (Next()) {
    if (AfterMain && Tok.is(tok::l_paren) && Depth == 0)
      Scan.DefinesMain = true;
    AfterMain = false;
    if (Tok.is(tok::l_brace))
      ++Depth;
    else if (Tok.is(tok::r_brace))
      --Depth;
    else if (Tok.is(tok::raw_identifier))
      AfterMain = Tok.getRawIdentifier() == "main";
    else if (Tok.is(tok::hash) && Tok.isAtStartOfLine()) {
      if (Next() && Tok.is(tok::raw_identifier) && Tok.getRawIdentifier() == "include" && Next() &&
          Tok.is(tok::string_literal)) {
        llvm::StringRef Quoted(Tok.getLiteralData(), Tok.getLength());
        Scan.Includes.push_back(Quoted.drop_front().drop_back().str());
      }
    }
  }
  return Scan;
}

// The project headers that a file reaches through quoted includes. They are looked for beside the
// including file, and upwards and in include/ as far as the folder all files share: where a build
// would have its -I flags.
namespace {
class Headers {
public:
  explicit Headers(std::string Top) : Top(std::move(Top)) {}

  struct Scanned {
    SourceScan Scan;
    std::vector<std::string> Direct;
  };

  const Scanned &scan(const std::string &File) {
    auto [It, New] = Files.try_emplace(File);
    if (New)
      if (auto Buffer = llvm::MemoryBuffer::getFile(File)) {
        It->second.Scan = scanSource((*Buffer)->getBuffer());
        for (const std::string &Name : It->second.Scan.Includes)
          if (std::string Header = resolve(File, Name); !Header.empty())
            It->second.Direct.push_back(Header);
      }
    return It->second;
  }

  std::set<std::string> reach(const std::string &File) {
    std::set<std::string> Reached;
    std::vector<std::string> Work{File};
    while (!Work.empty()) {
      std::string Current = std::move(Work.back());
      Work.pop_back();
      for (const std::string &Header : scan(Current).Direct)
        if (Reached.insert(Header).second)
          Work.push_back(Header);
    }
    return Reached;
  }

private:
  std::string resolve(llvm::StringRef From, llvm::StringRef Name) {
    namespace path = llvm::sys::path;
    for (llvm::StringRef Dir = path::parent_path(From); Dir.size() >= Top.size() && !Dir.empty();
         Dir = path::parent_path(Dir))
      for (llvm::StringRef Sub : {"", "include", "src"}) {
        llvm::SmallString<256> Base(Dir);
        path::append(Base, Sub);
        llvm::SmallString<256> Candidate(Base);
        path::append(Candidate, Name);
        path::remove_dots(Candidate, /*remove_dot_dot=*/true);
        if (!llvm::sys::fs::is_regular_file(Candidate))
          continue;
        if (Base != path::parent_path(From))
          SearchedDirs.insert(std::string(Base));
        return std::string(Candidate);
      }
    return "";
  }

  std::string Top;
  std::map<std::string, Scanned> Files;

public:
  std::set<std::string> SearchedDirs;
};
} // namespace

static std::string commonFolder(const std::vector<std::string> &Files) {
  namespace path = llvm::sys::path;
  llvm::StringRef Top = Files.empty() ? "" : path::parent_path(Files.front());
  for (const std::string &File : Files)
    while (!Top.empty() && !(llvm::StringRef(File).starts_with(Top) && File.size() > Top.size() &&
                             (Top == "/" || File[Top.size()] == '/')))
      Top = path::parent_path(Top);
  return Top.str();
}

Linked linkUnits(const std::vector<std::vector<std::string>> &Units) {
  std::vector<std::string> Files;
  for (const auto &Unit : Units)
    Files.insert(Files.end(), Unit.begin(), Unit.end());
  Headers Scans(commonFolder(Files));

  std::set<std::string> Included; // sources that others #include outright: read there, not beside
  Linked Result;
  std::vector<std::set<std::string>> &Reach = Result.Reach;
  Reach.resize(Units.size());
  std::vector<size_t> Mains, Parts;
  for (size_t I = 0; I < Units.size(); ++I) {
    bool HasMain = false;
    for (const std::string &File : Units[I]) {
      HasMain |= Scans.scan(File).Scan.DefinesMain;
      Reach[I].merge(Scans.reach(File));
    }
    Included.insert(Reach[I].begin(), Reach[I].end());
    (HasMain ? Mains : Parts).push_back(I);
  }
  llvm::erase_if(Parts, [&](size_t I) {
    return llvm::all_of(Units[I], [&](const std::string &File) { return Included.count(File); });
  });

  std::set<size_t> Taken;
  auto Grow = [&](size_t Seed) {
    std::set<size_t> Group{Seed};
    std::set<std::string> Known = Reach[Seed];
    for (bool Grown = true; Grown;) {
      Grown = false;
      for (size_t Part : Parts) {
        auto IsKnown = [&](const std::string &Header) { return Known.count(Header) != 0; };
        if (Group.count(Part) || !llvm::any_of(Reach[Part], IsKnown))
          continue;
        Group.insert(Part);
        Known.insert(Reach[Part].begin(), Reach[Part].end());
        Grown = true;
      }
    }
    Taken.insert(Group.begin(), Group.end());
    return std::vector<size_t>(Group.begin(), Group.end());
  };
  for (size_t Main : Mains)
    Result.Groups.push_back(Grow(Main));
  for (size_t Part : Parts)
    if (!Taken.count(Part))
      Result.Groups.push_back(Grow(Part));
  llvm::sort(Result.Groups);
  Result.IncludeDirs.assign(Scans.SearchedDirs.begin(), Scans.SearchedDirs.end());
  return Result;
}

} // namespace torch_tidy::tool
