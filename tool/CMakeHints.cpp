#include "CMakeHints.h"

#include "Programs.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/GlobPattern.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <map>
#include <set>

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace {

constexpr char Unknown = '\1'; ///< stands for what could not be evaluated

struct Argument {
  std::string Text;
  bool Quoted = false;
};
struct Command {
  std::string Name; ///< in lower case
  std::vector<Argument> Arguments;
};

std::vector<Command> parse(llvm::StringRef Text) {
  std::vector<Command> Commands;
  size_t I = 0;
  auto Bracket = [&](size_t At) -> size_t { // [==[ ... ]==]: past its end, or npos
    size_t Equals = At + 1;
    while (Equals < Text.size() && Text[Equals] == '=')
      ++Equals;
    if (Equals >= Text.size() || Text[Equals] != '[')
      return llvm::StringRef::npos;
    std::string Close = "]" + std::string(Equals - At - 1, '=') + "]";
    size_t End = Text.find(Close, Equals + 1);
    return End == llvm::StringRef::npos ? Text.size() : End + Close.size();
  };
  auto Space = [&] {
    while (I < Text.size()) {
      if (Text[I] == '#') {
        size_t End = I + 1 < Text.size() && Text[I + 1] == '[' ? Bracket(I + 1)
                                                               : llvm::StringRef::npos;
        I = End != llvm::StringRef::npos ? End : std::min(Text.find('\n', I), Text.size());
      } else if (llvm::isSpace(Text[I])) {
        ++I;
      } else {
        break;
      }
    }
  };
  while (Space(), I < Text.size()) {
    size_t Begin = I;
    while (I < Text.size() && (llvm::isAlnum(Text[I]) || Text[I] == '_'))
      ++I;
    std::string Name = Text.slice(Begin, I).lower();
    Space();
    if (Name.empty() || I >= Text.size() || Text[I] != '(') {
      ++I;
      continue;
    }
    ++I;
    Command C{Name, {}};
    for (int Depth = 1; Depth > 0;) {
      Space();
      if (I >= Text.size())
        break;
      if (Text[I] == '(' || Text[I] == ')') {
        Depth += Text[I] == '(' ? 1 : -1;
        ++I;
      } else if (Text[I] == '"') {
        Argument A{"", true};
        for (++I; I < Text.size() && Text[I] != '"'; ++I) {
          if (Text[I] == '\\' && I + 1 < Text.size())
            ++I;
          A.Text += Text[I];
        }
        ++I;
        C.Arguments.push_back(std::move(A));
      } else if (size_t End = Text[I] == '[' ? Bracket(I) : llvm::StringRef::npos;
                 End != llvm::StringRef::npos) {
        size_t Open = Text.find('[', I + 1) + 1;
        C.Arguments.push_back({Text.slice(Open, End - (Open - I)).str(), true});
        I = End;
      } else {
        Argument A;
        int Braces = 0;
        for (; I < Text.size(); ++I) {
          char Ch = Text[I];
          Braces += (Ch == '{') - (Ch == '}');
          if (Braces <= 0 && (llvm::isSpace(Ch) || Ch == '(' || Ch == ')' || Ch == '"' || Ch == '#'))
            break;
          A.Text += Ch;
        }
        C.Arguments.push_back(std::move(A));
      }
    }
    Commands.push_back(std::move(C));
  }
  return Commands;
}

struct Scope {
  std::map<std::string, std::string> Variables; ///< lists joined by ';'
  std::vector<std::string> IncludeDirs, Definitions;
};

class Reader {
public:
  std::vector<BuildTarget> Targets;
  std::set<std::string> Added; ///< lists that others add

  void readFolder(const std::string &Folder, Scope S) {
    constexpr unsigned MostFolders = 2000;
    llvm::SmallString<256> File(Folder);
    path::append(File, "CMakeLists.txt");
    if (Depth > 12 || ++Folders > MostFolders)
      return;
    auto Buffer = llvm::MemoryBuffer::getFile(File);
    if (!Buffer)
      return;
    S.Variables["CMAKE_CURRENT_SOURCE_DIR"] = S.Variables["CMAKE_CURRENT_LIST_DIR"] = Folder;
    S.Variables["CMAKE_CURRENT_BINARY_DIR"] = std::string(1, Unknown);
    ++Depth;
    size_t First = Targets.size();
    std::vector<Command> Commands = parse((*Buffer)->getBuffer());
    run(Commands, 0, Commands.size(), S, Folder, 0);
    // include_directories() holds for the folder's targets wherever it stands.
    for (size_t I = First; I < Targets.size(); ++I)
      if (Homes[I] == Folder)
        for (const std::string &Dir : S.IncludeDirs)
          addUnique(Targets[I].IncludeDirs, Dir);
    --Depth;
  }

private:
  std::vector<std::string> Homes; ///< folder of each target
  unsigned Depth = 0, Folders = 0;

  static void addUnique(std::vector<std::string> &To, const std::string &What) {
    if (!llvm::is_contained(To, What))
      To.push_back(What);
  }

  std::string expand(llvm::StringRef Text, const Scope &S, unsigned Level = 0) const {
    std::string Result;
    for (size_t I = 0; I < Text.size(); ++I) {
      if (Text.substr(I).starts_with("${") && Level < 8) {
        size_t End = I + 2;
        int Braces = 1;
        for (; End < Text.size() && Braces; ++End)
          Braces += (Text[End] == '{') - (Text[End] == '}');
        std::string Name = expand(Text.slice(I + 2, End - 1), S, Level + 1);
        auto It = S.Variables.find(Name);
        Result += It == S.Variables.end() ? std::string(1, Unknown) : It->second;
        I = End - 1;
      } else if (Text.substr(I).starts_with("$ENV{")) {
        Result += Unknown;
        I = std::min(Text.find('}', I), Text.size() - 1);
      } else {
        Result += Text[I];
      }
    }
    return Result;
  }

  std::vector<std::string> words(const Command &C, const Scope &S, size_t From = 0) const {
    std::vector<std::string> Result;
    for (size_t I = From; I < C.Arguments.size(); ++I) {
      std::string Text = expand(C.Arguments[I].Text, S);
      // $<BUILD_INTERFACE:x> is what a build in this folder sees.
      llvm::StringRef Plain(Text);
      if (Plain.consume_front("$<BUILD_INTERFACE:"))
        Plain.consume_back(">");
      llvm::SmallVector<llvm::StringRef, 8> Parts;
      Plain.split(Parts, ';', -1, /*KeepEmpty=*/false);
      for (llvm::StringRef Part : Parts)
        Result.push_back(Part.str());
    }
    return Result;
  }

  static std::string absolute(llvm::StringRef Name, const std::string &Folder) {
    llvm::SmallString<256> Result(Name);
    if (!path::is_absolute(Result)) {
      Result = Folder;
      path::append(Result, Name);
    }
    path::remove_dots(Result, /*remove_dot_dot=*/true);
    llvm::StringRef Trimmed(Result);
    while (Trimmed.size() > 1 && Trimmed.ends_with("/"))
      Trimmed = Trimmed.drop_back();
    return Trimmed.str();
  }

  static bool isPlain(llvm::StringRef Word) {
    return !Word.contains(Unknown) && !Word.contains("$<") && !Word.contains("@");
  }

  static std::vector<std::string> glob(llvm::StringRef Pattern, bool Deep) {
    std::vector<std::string> Found;
    llvm::StringRef Folder = path::parent_path(Pattern);
    if (Folder.find_first_of("*?[") != llvm::StringRef::npos || !fs::is_directory(Folder))
      return Found;
    llvm::Expected<llvm::GlobPattern> Glob = llvm::GlobPattern::create(path::filename(Pattern));
    if (!Glob) {
      llvm::consumeError(Glob.takeError());
      return Found;
    }
    std::error_code Error;
    for (fs::recursive_directory_iterator It(Folder, Error, false), End; !Error && It != End;
         It.increment(Error)) {
      if (It->type() == fs::file_type::directory_file) {
        if (!Deep || path::filename(It->path()).starts_with("."))
          It.no_push();
      } else if (Glob->match(path::filename(It->path()))) {
        Found.push_back(It->path());
      }
    }
    llvm::sort(Found);
    return Found;
  }

  BuildTarget *target(llvm::StringRef Name) {
    for (BuildTarget &T : llvm::reverse(Targets))
      if (T.Name == Name)
        return &T;
    return nullptr;
  }

  static void addSources(BuildTarget &T, const std::vector<std::string> &Words, size_t From,
                         const std::string &Folder) {
    for (size_t I = From; I < Words.size(); ++I) {
      if (!isPlain(Words[I])) {
        T.Complete = false;
        continue;
      }
      std::string File = absolute(Words[I], Folder);
      if (isSource(File) && fs::is_regular_file(File))
        addUnique(T.Sources, File);
    }
  }

  static bool isScopeWord(llvm::StringRef Word) {
    return llvm::is_contained({"PUBLIC", "PRIVATE", "INTERFACE", "SYSTEM", "BEFORE", "AFTER",
                               "STATIC", "SHARED", "MODULE", "OBJECT", "EXCLUDE_FROM_ALL", "WIN32",
                               "MACOSX_BUNDLE", "debug", "optimized", "general"},
                              Word);
  }

  void run(const std::vector<Command> &Commands, size_t Begin, size_t End, Scope &S,
           const std::string &Folder, int Conditions) {
    for (size_t I = Begin; I < End; ++I) {
      const Command &C = Commands[I];
      const std::string &N = C.Name;
      auto Closing = [&](llvm::StringRef Open, llvm::StringRef Close) {
        int Level = 0;
        size_t J = I;
        for (; J < End; ++J) {
          Level += (Commands[J].Name == Open) - (Commands[J].Name == Close);
          if (Level == 0)
            break;
        }
        return J;
      };
      if (N == "function" || N == "macro") {
        I = Closing(N, "end" + N);
        continue;
      }
      if (N == "if" || N == "while")
        ++Conditions;
      else if (N == "endif" || N == "endwhile")
        --Conditions;
      else if (N == "foreach") {
        size_t Last = Closing("foreach", "endforeach");
        std::vector<std::string> Words = words(C, S);
        std::vector<std::string> Items;
        bool Lists = false;
        for (size_t W = 1; W < Words.size(); ++W) {
          if (Words[W] == "IN" || Words[W] == "ITEMS" || Words[W] == "RANGE") {
            Lists = false;
          } else if (Words[W] == "LISTS") {
            Lists = true;
          } else if (Lists) {
            llvm::SmallVector<llvm::StringRef, 8> Parts;
            auto It = S.Variables.find(Words[W]);
            if (It != S.Variables.end())
              llvm::StringRef(It->second).split(Parts, ';', -1, false);
            for (llvm::StringRef Part : Parts)
              Items.push_back(Part.str());
          } else {
            Items.push_back(Words[W]);
          }
        }
        constexpr size_t MostItems = 200;
        for (size_t K = 0; !Words.empty() && K < std::min(Items.size(), MostItems); ++K) {
          S.Variables[Words[0]] = Items[K];
          run(Commands, I + 1, Last, S, Folder, Conditions);
        }
        I = Last;
      } else {
        execute(C, S, Folder, Conditions > 0);
      }
    }
  }

  void execute(const Command &C, Scope &S, const std::string &Folder, bool Conditional) {
    llvm::StringRef N = C.Name;
    std::vector<std::string> W = words(C, S);
    if (N == "set" && !W.empty()) {
      size_t Last = W.size();
      for (size_t I = 1; I < W.size(); ++I)
        if (W[I] == "CACHE" || W[I] == "PARENT_SCOPE") {
          Last = I;
          break;
        }
      S.Variables[W[0]] = llvm::join(W.begin() + 1, W.begin() + std::max<size_t>(1, Last), ";");
    } else if (N == "list" && W.size() > 2 && (W[0] == "APPEND" || W[0] == "PREPEND")) {
      std::string &V = S.Variables[W[1]];
      V += (V.empty() ? "" : ";") + llvm::join(W.begin() + 2, W.end(), ";");
    } else if (N == "file" && W.size() > 2 && llvm::StringRef(W[0]).starts_with("GLOB")) {
      std::vector<std::string> Found;
      for (size_t I = 2; I < W.size(); ++I) {
        if (W[I] == "RELATIVE" || W[I] == "LIST_DIRECTORIES")
          ++I;
        else if (W[I] != "CONFIGURE_DEPENDS" && W[I] != "FOLLOW_SYMLINKS" && isPlain(W[I]))
          llvm::append_range(Found, glob(absolute(W[I], Folder), W[0] == "GLOB_RECURSE"));
      }
      S.Variables[W[1]] = llvm::join(Found, ";");
    } else if (N == "aux_source_directory" && W.size() == 2 && isPlain(W[0])) {
      std::string &V = S.Variables[W[1]];
      V += (V.empty() ? "" : ";") + llvm::join(glob(absolute(W[0], Folder) + "/*", false), ";");
    } else if (N == "get_filename_component" && W.size() >= 3) {
      bool Parent = W[2] == "DIRECTORY" || W[2] == "PATH";
      std::string Full = isPlain(W[1]) ? absolute(W[1], Folder) : std::string(1, Unknown);
      S.Variables[W[0]] = W[2] == "NAME"      ? path::filename(Full).str()
                          : W[2] == "NAME_WE" ? path::stem(Full).str()
                          : Parent            ? path::parent_path(Full).str()
                                              : Full;
    } else if (N == "project" && !W.empty()) {
      S.Variables["PROJECT_NAME"] = W[0];
      S.Variables["PROJECT_SOURCE_DIR"] = S.Variables[W[0] + "_SOURCE_DIR"] = Folder;
      S.Variables.try_emplace("CMAKE_PROJECT_NAME", W[0]);
    } else if (N == "add_subdirectory" && !W.empty() && isPlain(W[0])) {
      std::string Sub = absolute(W[0], Folder);
      Added.insert(Sub + "/CMakeLists.txt");
      readFolder(Sub, S);
    } else if (N == "include_directories") {
      for (const std::string &Dir : W)
        addDir(S.IncludeDirs, Dir, Folder);
    } else if (N == "add_definitions" || N == "add_compile_definitions") {
      for (llvm::StringRef D : W)
        if (!Conditional && isPlain(D) && (D.consume_front("-D") || N != "add_definitions"))
          S.Definitions.push_back(D.str());
    } else if ((N.ends_with("add_executable") || N.ends_with("add_library")) && W.size() > 0 &&
               isPlain(W[0])) {
      if (llvm::is_contained(W, "ALIAS") || llvm::is_contained(W, "IMPORTED"))
        return;
      BuildTarget T;
      T.Name = W[0];
      T.Executable = N.ends_with("add_executable");
      T.Definitions = S.Definitions;
      addSources(T, W, 1, Folder);
      T.IncludeDirs = S.IncludeDirs;
      Targets.push_back(std::move(T));
      Homes.push_back(Folder);
    } else if (N.starts_with("target_") && W.size() > 1) {
      BuildTarget *T = target(W[0]);
      if (!T)
        return;
      std::vector<std::string> Rest;
      for (size_t I = 1; I < W.size(); ++I)
        if (!isScopeWord(W[I]))
          Rest.push_back(W[I]);
      if (N == "target_sources")
        addSources(*T, Rest, 0, Folder);
      for (llvm::StringRef Word : Rest) {
        if (N == "target_include_directories")
          addDir(T->IncludeDirs, Word, Folder);
        else if (N == "target_link_libraries" && isPlain(Word))
          addUnique(T->Links, Word.str());
        else if (N == "target_compile_definitions" && !Conditional && isPlain(Word)) {
          Word.consume_front("-D");
          addUnique(T->Definitions, Word.str());
        }
      }
    }
  }

  static void addDir(std::vector<std::string> &To, llvm::StringRef Word,
                     const std::string &Folder) {
    if (isScopeWord(Word) || !isPlain(Word))
      return;
    std::string Dir = absolute(Word, Folder);
    if (fs::is_directory(Dir))
      addUnique(To, Dir);
  }
};

} // namespace

std::vector<BuildTarget> readCMakeLists(const std::vector<std::string> &Lists) {
  std::set<std::string> Added;
  std::vector<std::pair<std::string, std::vector<BuildTarget>>> Tops;
  for (const std::string &List : Lists) {
    Reader R;
    std::string Folder = path::parent_path(List).str();
    Scope S;
    S.Variables["CMAKE_SOURCE_DIR"] = S.Variables["PROJECT_SOURCE_DIR"] = Folder;
    R.readFolder(Folder, S);
    Added.insert(R.Added.begin(), R.Added.end());
    Tops.push_back({List, std::move(R.Targets)});
  }
  std::vector<BuildTarget> Result;
  for (auto &[List, Targets] : Tops)
    if (!Added.count(List))
      llvm::move(Targets, std::back_inserter(Result));
  return Result;
}

} // namespace torch_tidy::tool
