#include "Programs.h"

#include "GuessedPrograms.h"
#include "LibTorch.h"
#include "Linking.h"

#include "clang/Tooling/ArgumentsAdjusters.h"
#include "clang/Tooling/JSONCompilationDatabase.h"
#include "clang/Tooling/Tooling.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <map>
#include <set>

namespace torch_tidy::tool {

namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using namespace clang::tooling;

static std::string absolute(llvm::StringRef File) {
  llvm::SmallString<256> Result(File);
  fs::make_absolute(Result);
  path::remove_dots(Result, /*remove_dot_dot=*/true);
  return std::string(Result);
}

bool isSource(llvm::StringRef File) {
  return llvm::is_contained({".cpp", ".cc", ".cxx", ".c++", ".C", ".cppm"}, path::extension(File));
}

static bool isUnder(llvm::StringRef File, llvm::StringRef Folder) {
  return File == Folder || (File.starts_with(Folder) &&
                            (Folder.ends_with("/") || File.substr(Folder.size()).starts_with("/")));
}

// Sources below a folder, except in hidden folders and in build trees.
static llvm::Error collect(llvm::StringRef Folder, std::vector<std::string> &Files) {
  std::error_code Error;
  for (fs::recursive_directory_iterator It(Folder, Error, /*follow_symlinks=*/false), End;
       !Error && It != End; It.increment(Error)) {
    llvm::StringRef Name = path::filename(It->path());
    if (It->type() == fs::file_type::directory_file) {
      if (Name.starts_with(".") || fs::exists(It->path() + "/CMakeCache.txt"))
        It.no_push();
    } else if (isSource(Name)) {
      Files.push_back(It->path());
    }
  }
  if (Error)
    return llvm::createStringError("cannot read the folder '" + Folder.str() +
                                   "': " + Error.message());
  return llvm::Error::success();
}

// The command line without wrappers, source, output and what another compiler's precompiled header
// would need.
static std::vector<std::string> compilerOf(const CompileCommand &Command) {
  std::vector<std::string> Args = Command.CommandLine;
  // CMAKE_CXX_COMPILER_LAUNCHER leaves its words in front; Clang drops ccache, not `cmake -E env`.
  size_t Start = 0;
  if (Args.size() > 2 && path::stem(Args[0]).starts_with("cmake") && Args[1] == "-E" &&
      Args[2] == "env")
    for (Start = 3; Start < Args.size() && llvm::StringRef(Args[Start]).contains('=');)
      ++Start;
  if (Start < Args.size() &&
      llvm::is_contained({"ccache", "sccache", "distcc"}, path::stem(Args[Start])))
    ++Start;
  Args.erase(Args.begin(), Args.begin() + Start);

  ArgumentsAdjuster Adjust = combineAdjusters(
      combineAdjusters(getClangStripOutputAdjuster(), getClangStripDependencyFileAdjuster()),
      getClangSyntaxOnlyAdjuster());
  Args = Adjust(Args, Command.Filename);
  std::string Source =
      absolute(path::is_absolute(Command.Filename) ? Command.Filename
                                                   : Command.Directory + "/" + Command.Filename);
  std::vector<std::string> Kept;
  for (size_t I = 0; I < Args.size(); ++I) {
    llvm::StringRef Arg = Args[I];
    if (Arg == Command.Filename || Arg == Source || Arg == "--")
      continue;
    if (Arg == "-Xclang" && I + 3 < Args.size() && Args[I + 1] == "-include-pch") {
      I += 3;
      continue;
    }
    Kept.push_back(Args[I]);
  }
  return Kept;
}

// CMake's "<build>/CMakeFiles/<target>.dir/<source>.o" names the target; empty when the output does
// not.
static std::string targetOf(const CompileCommand &Command) {
  std::string Output = Command.Output;
  for (size_t I = 0; Output.empty() && I + 1 < Command.CommandLine.size(); ++I)
    if (Command.CommandLine[I] == "-o")
      Output = Command.CommandLine[I + 1];
  size_t At = Output.find("CMakeFiles/");
  size_t End = At == std::string::npos ? At : Output.find(".dir/", At);
  if (End == std::string::npos)
    return "";
  return absolute(Command.Directory + "/" + Output.substr(0, End));
}

static std::string findDatabase(llvm::StringRef Near) {
  for (llvm::StringRef Dir = Near; !Dir.empty(); Dir = path::parent_path(Dir))
    for (const char *Sub : {"", "build"}) {
      llvm::SmallString<256> Build(Dir);
      path::append(Build, Sub);
      if (fs::exists(Build + "/compile_commands.json"))
        return std::string(Build);
    }
  return "";
}

// Include directories of B that A lacks: a program is read with one set of flags.
static void addIncludes(std::vector<std::string> &A, const std::vector<std::string> &B) {
  for (size_t I = 0; I < B.size(); ++I) {
    llvm::StringRef Arg = B[I];
    bool Separate = llvm::is_contained({"-I", "-isystem", "-iquote", "-idirafter"}, Arg);
    if (!Separate && !Arg.starts_with("-I"))
      continue;
    std::vector<std::string> Piece{B[I]};
    if (Separate && I + 1 < B.size())
      Piece.push_back(B[++I]);
    if (std::search(A.begin(), A.end(), Piece.begin(), Piece.end()) == A.end())
      A.insert(A.end(), Piece.begin(), Piece.end());
  }
}

static void addExtra(Program &P, const ProgramRequest &Request) {
  P.Compiler.insert(P.Compiler.begin() + 1, Request.ExtraArgsBefore.begin(),
                    Request.ExtraArgsBefore.end());
  P.Compiler.insert(P.Compiler.end(), Request.ExtraArgs.begin(), Request.ExtraArgs.end());
}

static bool isAsked(llvm::StringRef File, llvm::ArrayRef<std::string> Inputs) {
  return Inputs.empty() ||
         llvm::any_of(Inputs, [&](const std::string &Input) { return isUnder(File, Input); });
}

static std::vector<Program> fromDatabase(const CompilationDatabase &Database,
                                         llvm::ArrayRef<std::string> Inputs,
                                         const ProgramRequest &Request) {
  struct Entry {
    std::string Source, Directory;
    std::vector<std::string> Compiler;
  };
  std::map<std::string, std::vector<Entry>> Targets;
  std::set<std::pair<std::string, std::string>> Seen;
  for (const CompileCommand &Command : Database.getAllCompileCommands()) {
    std::string Source =
        absolute(path::is_absolute(Command.Filename) ? Command.Filename
                                                     : Command.Directory + "/" + Command.Filename);
    if (!isSource(Source))
      continue;
    std::string Target = targetOf(Command);
    std::string Key = Target.empty() ? Source : Target;
    if (Seen.insert({Key, Source}).second)
      Targets[Key].push_back({Source, Command.Directory, compilerOf(Command)});
  }
  std::vector<std::vector<std::string>> Units;
  std::vector<std::pair<std::string, const std::vector<Entry> *>> Entries;
  for (const auto &[Name, List] : Targets) {
    Entries.push_back({Name, &List});
    Units.emplace_back();
    for (const Entry &E : List)
      Units.back().push_back(E.Source);
  }
  std::vector<Program> Programs;
  if (Units.empty())
    return Programs;
  Project Around = Project::around(Units.front().front());
  for (const std::vector<size_t> &Group : linkUnits(Around, Units).Groups) {
    Program P;
    P.Name = path::filename(Entries[Group.front()].first).str();
    for (size_t Unit : Group) {
      for (const Entry &E : *Entries[Unit].second) {
        // A header is asked about in the programs that include it.
        for (const std::string &Input : Inputs)
          if (Around.reach(E.Source).count(Input) && !llvm::is_contained(P.Asked, Input))
            P.Asked.push_back(Input);
        if (llvm::is_contained(P.Sources, E.Source))
          continue;
        P.Sources.push_back(E.Source);
        if (isAsked(E.Source, Inputs))
          P.Asked.push_back(E.Source);
        if (P.Compiler.empty()) {
          P.Compiler = E.Compiler;
          P.Directory = E.Directory;
        } else {
          addIncludes(P.Compiler, E.Compiler);
        }
      }
    }
    if (P.Asked.empty())
      continue;
    addExtra(P, Request);
    Programs.push_back(std::move(P));
  }
  return Programs;
}

// The headers that a program includes to be confirmed: beside the installed tool, or in its
// sources.
static std::string runtimeHeaders() {
  static int Anchor;
  llvm::SmallString<256> Installed(
      path::parent_path(path::parent_path(fs::getMainExecutable(nullptr, &Anchor))));
  path::append(Installed, "include");
  return fs::exists(Installed + "/torch_tidy") ? std::string(Installed)
                                               : TORCH_TIDY_RUNTIME_HEADERS;
}

// Files of no database: compiled with the flags given, or with LibTorch's.
static llvm::Expected<std::vector<Program>> fromFiles(const std::vector<std::string> &Files,
                                                      const ProgramRequest &Request) {
  std::vector<std::string> Compiler{"clang++"};
  if (Request.Fixed) {
    std::vector<CompileCommand> Commands = Request.Fixed->getCompileCommands(Files.front());
    Compiler = compilerOf(Commands.front());
    Compiler[0] = "clang++";
  }
  // `-- FLAGS` are the whole truth unless --torch is given as well.
  if (!Request.Fixed || !Request.Torch.empty()) {
    llvm::Expected<LibTorch> Torch = findLibTorch(Request.Torch);
    if (!Torch)
      return Torch.takeError();
    for (std::string &Flag : Torch->flags())
      if (!llvm::StringRef(Flag).starts_with("-std=") ||
          llvm::none_of(Compiler, [](llvm::StringRef F) { return F.starts_with("-std="); }))
        Compiler.push_back(std::move(Flag));
    Compiler.insert(Compiler.end(), {"-isystem", runtimeHeaders()});
  }
  std::vector<Program> Programs = guessPrograms(Files);
  llvm::SmallString<256> Here;
  fs::current_path(Here);
  for (Program &P : Programs) {
    P.Directory = std::string(Here);
    P.Compiler.insert(P.Compiler.begin(), Compiler.begin(), Compiler.end());
    addExtra(P, Request);
  }
  return Programs;
}

llvm::Expected<std::vector<Program>> findPrograms(const ProgramRequest &Request) {
  std::vector<std::string> Inputs;
  for (const std::string &Input : Request.Inputs) {
    if (!fs::exists(Input))
      return llvm::createStringError("no such file or folder: '" + Input + "'");
    Inputs.push_back(absolute(Input));
  }
  std::unique_ptr<CompilationDatabase> Database;
  std::string Build = Request.BuildPath;
  if (!Request.Fixed) {
    if (Build.empty()) {
      llvm::SmallString<256> Here;
      fs::current_path(Here);
      Build = findDatabase(Inputs.empty() ? llvm::StringRef(Here) : llvm::StringRef(Inputs[0]));
    }
    if (!Build.empty()) {
      std::string Error;
      Database = CompilationDatabase::loadFromDirectory(Build, Error);
      if (!Database)
        return llvm::createStringError(
            "no usable compile database in '" + Build +
            "': configure with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON and give the folder that holds "
            "compile_commands.json");
    }
  }
  if (Inputs.empty() && !Database)
    return llvm::createStringError(
        "nothing to check: name files or folders, or a compile database with -p BUILD");

  std::vector<Program> Programs;
  if (Database)
    Programs = fromDatabase(*Database, Inputs, Request);
  if (Inputs.empty()) {
    if (Programs.empty())
      return llvm::createStringError("the compile database in '" + Build + "' names no C++ source");
    return Programs;
  }

  // What the database does not speak of.
  std::vector<std::string> Rest;
  for (const std::string &Input : Inputs) {
    bool Known = llvm::any_of(Programs, [&](const Program &P) {
      return llvm::any_of(P.Asked, [&](const std::string &File) { return isUnder(File, Input); });
    });
    if (Known)
      continue;
    if (!fs::is_directory(Input)) {
      Rest.push_back(Input);
      continue;
    }
    size_t Before = Rest.size();
    if (llvm::Error Error = collect(Input, Rest))
      return std::move(Error);
    if (Rest.size() == Before)
      return llvm::createStringError("no C++ source in the folder '" + Input + "'");
  }
  llvm::sort(Rest);
  Rest.erase(std::unique(Rest.begin(), Rest.end()), Rest.end());
  if (!Rest.empty() && !Request.BuildPath.empty()) {
    // What a database that was named forgot: as its neighbours are compiled.
    std::string Error;
    auto Guess = inferMissingCompileCommands(CompilationDatabase::loadFromDirectory(Build, Error));
    std::vector<std::string> Unknown;
    for (const std::string &File : Rest) {
      std::vector<CompileCommand> Commands = Guess->getCompileCommands(File);
      if (Commands.empty()) {
        Unknown.push_back(File);
        continue;
      }
      Program P;
      P.Sources = P.Asked = {File};
      P.Name = path::filename(File).str();
      P.Directory = Commands.front().Directory;
      P.Compiler = compilerOf(Commands.front());
      addExtra(P, Request);
      Programs.push_back(std::move(P));
    }
    Rest = std::move(Unknown);
  }
  if (!Rest.empty()) {
    llvm::Expected<std::vector<Program>> More = fromFiles(Rest, Request);
    if (!More)
      return More.takeError();
    llvm::move(*More, std::back_inserter(Programs));
  }
  return Programs;
}

} // namespace torch_tidy::tool
