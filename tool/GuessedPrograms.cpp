#include "GuessedPrograms.h"

#include "CMakeHints.h"
#include "Linking.h"
#include "Project.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Path.h"

#include <map>
#include <set>

namespace torch_tidy::tool {

namespace path = llvm::sys::path;

namespace {

struct Candidate {
  std::string Name;
  std::vector<std::string> Own;     ///< sources of the target itself, or of the group's first unit
  std::vector<std::string> Sources; ///< with those it is linked with
  std::vector<std::string> IncludeDirs, Definitions;
  bool Complete = true;
};

void addUnique(std::vector<std::string> &To, const std::string &What) {
  if (!llvm::is_contained(To, What))
    To.push_back(What);
}

void addLinked(Candidate &C, const BuildTarget &T, const std::vector<BuildTarget> &All,
               std::set<std::string> &Seen) {
  if (!Seen.insert(T.Name).second)
    return;
  C.Complete &= T.Complete;
  for (const std::string &Source : T.Sources)
    addUnique(C.Sources, Source);
  for (const std::string &Dir : T.IncludeDirs)
    addUnique(C.IncludeDirs, Dir);
  for (const std::string &Definition : T.Definitions)
    addUnique(C.Definitions, Definition);
  for (const std::string &Name : T.Links)
    for (const BuildTarget &L : All)
      if (L.Name == Name && !L.Executable)
        addLinked(C, L, All, Seen);
}

std::vector<Candidate> fromTargets(Project &P) {
  std::vector<BuildTarget> Targets = readCMakeLists(P.lists());
  std::set<std::string> Linked;
  for (const BuildTarget &T : Targets)
    Linked.insert(T.Links.begin(), T.Links.end());
  std::vector<Candidate> Result;
  for (const BuildTarget &T : Targets) {
    if (!T.Executable && Linked.count(T.Name))
      continue;
    Candidate C;
    C.Name = T.Name;
    C.Own = T.Sources;
    std::set<std::string> Seen;
    addLinked(C, T, Targets, Seen);
    if (C.Sources.empty())
      continue;
    if (!C.Complete) {
      // The rest of its sources by what they define.
      std::vector<std::vector<std::string>> Units{C.Sources};
      for (const std::string &Source : P.sources())
        if (!llvm::is_contained(C.Sources, Source))
          Units.push_back({Source});
      for (const std::vector<size_t> &Group : linkUnits(P, Units).Groups)
        if (Group.front() == 0)
          for (size_t I : Group)
            if (I != 0)
              C.Sources.push_back(Units[I].front());
    }
    Result.push_back(std::move(C));
  }
  return Result;
}

std::vector<Candidate> fromSources(Project &P, const std::vector<std::string> &Sources) {
  std::vector<std::vector<std::string>> Units;
  for (const std::string &Source : Sources)
    Units.push_back({Source});
  std::vector<Candidate> Result;
  for (const std::vector<size_t> &Group : linkUnits(P, Units).Groups) {
    Candidate C;
    for (size_t I : Group)
      C.Sources.push_back(Sources[I]);
    auto Main = llvm::find_if(
        C.Sources, [&](const std::string &S) { return P.scan(S).Scan.DefinesMain; });
    if (Main != C.Sources.end())
      C.Own = {*Main};
    else
      C.Own = C.Sources;
    C.Name = path::filename(C.Own.front()).str();
    Result.push_back(std::move(C));
  }
  return Result;
}

unsigned shared(llvm::StringRef A, llvm::StringRef B) {
  size_t N = 0;
  while (N < A.size() && N < B.size() && A[N] == B[N])
    ++N;
  return A.take_front(N).count('/');
}

/// The candidates that show what the files asked about do.
std::vector<Program> choose(Project &P, const std::vector<Candidate> &Candidates,
                            std::set<std::string> &Open) {
  std::vector<Program> Result;
  std::set<size_t> Chosen;
  const std::set<std::string> Asked = Open;
  auto Choose = [&](size_t I) {
    if (!Chosen.insert(I).second)
      return;
    const Candidate &C = Candidates[I];
    Program New;
    New.Name = C.Name;
    New.Sources = C.Sources;
    for (const std::string &File : Asked)
      if (llvm::is_contained(C.Sources, File) ||
          llvm::any_of(C.Sources, [&](const std::string &S) { return P.reach(S).count(File); })) {
        New.Asked.push_back(File);
        Open.erase(File);
      }
    for (const std::string &Dir : C.IncludeDirs)
      New.Compiler.push_back("-I" + Dir);
    for (const std::string &Definition : C.Definitions)
      New.Compiler.push_back("-D" + Definition);
    Result.push_back(std::move(New));
  };
  for (size_t I = 0; I < Candidates.size(); ++I)
    if (llvm::any_of(Candidates[I].Own, [&](const std::string &S) { return Asked.count(S); }))
      Choose(I);
  // A part of many programs is read in some of them, the nearest first.
  for (const std::string &File : Asked) {
    if (!Open.count(File))
      continue;
    constexpr size_t MostPrograms = 4;
    std::vector<size_t> Using;
    for (size_t I = 0; I < Candidates.size(); ++I)
      if (llvm::is_contained(Candidates[I].Sources, File) ||
          (!isSource(File) && llvm::any_of(Candidates[I].Sources, [&](const std::string &S) {
            return P.reach(S).count(File) != 0;
          })))
        Using.push_back(I);
    llvm::stable_sort(Using, [&](size_t A, size_t B) {
      return shared(Candidates[A].Own.empty() ? "" : Candidates[A].Own.front(), File) >
             shared(Candidates[B].Own.empty() ? "" : Candidates[B].Own.front(), File);
    });
    for (size_t I = 0; I < std::min(Using.size(), MostPrograms); ++I)
      Choose(Using[I]);
  }
  return Result;
}

/// Where the project's headers are that its sources include and no flag finds. A folder in which
/// only quoted names were found is searched for those only, so that it hides no library's header.
/// (-idirafter would make the project's headers the system's.)
void addSearchedFolders(Project &P, Program &To) {
  std::set<std::string> Files(To.Sources.begin(), To.Sources.end()), Flags;
  for (const std::string &Source : To.Sources)
    Files.insert(P.reach(Source).begin(), P.reach(Source).end());
  for (const std::string &File : Files) {
    const Project::Scanned &Scan = P.scan(File);
    for (size_t I = 0; I < Scan.Direct.size(); ++I) {
      const std::string &Folder = Scan.Direct[I].Folder;
      if (Folder.empty() || llvm::is_contained(To.Compiler, "-I" + Folder))
        continue;
      const char *Flag = Scan.Scan.Includes[I].Angled ? "-I" : "-iquote";
      if (Flags.insert(Flag + Folder).second)
        To.Compiler.insert(To.Compiler.end(), {Flag, Folder});
    }
  }
}

} // namespace

std::vector<Program> guessPrograms(const std::vector<std::string> &Files) {
  std::map<std::string, Project> Projects;
  std::map<std::string, std::string> RootOf; ///< of folders
  std::map<std::string, std::vector<std::string>> ByRoot;
  for (const std::string &File : Files) {
    auto [It, New] = RootOf.try_emplace(path::parent_path(File).str());
    if (New) {
      // Folders inside of a project that is known already need no second search.
      for (auto &[Root, P] : Projects)
        if (llvm::is_contained(P.sources(), File))
          It->second = Root;
      if (It->second.empty()) {
        Project Found = Project::around(File);
        It->second = Found.root();
        Projects.insert({Found.root(), std::move(Found)});
      }
    }
    ByRoot[It->second].push_back(File);
  }

  std::vector<Program> Programs;
  for (auto &[Root, Asked] : ByRoot) {
    Project &P = Projects.at(Root);
    for (const std::string &File : Asked)
      if (isSource(File))
        P.addSource(File);
    std::set<std::string> Open(Asked.begin(), Asked.end());
    std::vector<Candidate> Targets = fromTargets(P);
    std::vector<Program> Here = choose(P, Targets, Open);
    if (!Open.empty()) {
      std::set<std::string> Built;
      for (const Candidate &C : Targets)
        Built.insert(C.Sources.begin(), C.Sources.end());
      constexpr size_t MostSources = 4000;
      std::vector<std::string> Rest;
      for (const std::string &Source : P.sources().size() > MostSources ? Asked : P.sources())
        if (!Built.count(Source) && isSource(Source))
          Rest.push_back(Source);
      llvm::move(choose(P, fromSources(P, Rest), Open), std::back_inserter(Here));
    }
    for (const std::string &File : Open) { // what no source of the project needs
      Program Single;
      Single.Name = path::filename(File).str();
      Single.Sources = Single.Asked = {File};
      Here.push_back(std::move(Single));
    }
    for (Program &New : Here) {
      addSearchedFolders(P, New);
      Programs.push_back(std::move(New));
    }
  }
  llvm::stable_sort(Programs,
                    [](const Program &A, const Program &B) { return A.Sources < B.Sources; });
  return Programs;
}

} // namespace torch_tidy::tool
