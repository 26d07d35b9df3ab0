#include "Linking.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Path.h"

#include <map>
#include <optional>
#include <set>

namespace torch_tidy::tool {

namespace {

struct Unit {
  std::set<std::string> Reach, Defines;
  /// Functions declared and not defined -> the headers that declare them ("": a source).
  std::map<std::string, std::set<std::string>> Wants;
  std::string Folder;
  bool HasMain = false;
};

unsigned sharedFolders(llvm::StringRef A, llvm::StringRef B) {
  namespace path = llvm::sys::path;
  unsigned Count = 0;
  for (auto X = path::begin(A), Y = path::begin(B);
       X != path::end(A) && Y != path::end(B) && *X == *Y; ++X, ++Y)
    ++Count;
  return Count;
}

} // namespace

Linked linkUnits(Project &Around, const std::vector<std::vector<std::string>> &Lists) {
  std::vector<Unit> Units(Lists.size());
  std::set<std::string> Included; // sources that others #include outright: read there, not beside
  for (size_t I = 0; I < Lists.size(); ++I) {
    Unit &U = Units[I];
    U.Folder = llvm::sys::path::parent_path(Lists[I].front()).str();
    for (const std::string &File : Lists[I]) {
      const SourceScan &Own = Around.scan(File).Scan;
      U.HasMain |= Own.DefinesMain;
      U.Defines.insert(Own.Defines.begin(), Own.Defines.end());
      for (const std::string &Name : Own.Declares)
        U.Wants[Name].insert("");
      const std::set<std::string> &Reach = Around.reach(File);
      U.Reach.insert(Reach.begin(), Reach.end());
    }
    for (const std::string &Header : U.Reach) {
      const SourceScan &Scan = Around.scan(Header).Scan;
      U.Defines.insert(Scan.Defines.begin(), Scan.Defines.end());
      for (const std::string &Name : Scan.Declares)
        U.Wants[Name].insert(Header);
    }
    for (const std::string &Name : U.Defines)
      U.Wants.erase(Name);
    Included.insert(U.Reach.begin(), U.Reach.end());
  }
  auto IsPart = [&](size_t I) {
    return !Units[I].HasMain && !llvm::all_of(Lists[I], [&](const std::string &File) {
      return Included.count(File) != 0;
    });
  };
  std::map<std::string, std::vector<size_t>> Definers;
  for (size_t I = 0; I < Units.size(); ++I)
    if (IsPart(I))
      for (const std::string &Name : Units[I].Defines)
        Definers[Name].push_back(I);

  // The unit that defines what a declaration in these headers promises.
  auto Definer = [&](const Unit &Asking, const std::string &Name,
                     const std::set<std::string> &Headers) -> std::optional<size_t> {
    std::optional<size_t> Best;
    unsigned Nearest = 0;
    auto It = Definers.find(Name);
    if (It == Definers.end())
      return std::nullopt;
    for (size_t Candidate : It->second) {
      const Unit &U = Units[Candidate];
      bool Promised = llvm::any_of(Headers, [&](const std::string &Header) {
        return Header.empty() ? Asking.HasMain && U.Folder == Asking.Folder
                              : U.Reach.count(Header) != 0;
      });
      if (!Promised)
        continue;
      unsigned Near = sharedFolders(Asking.Folder, U.Folder);
      if (!Best || Near > Nearest) {
        Best = Candidate;
        Nearest = Near;
      }
    }
    return Best;
  };

  Linked Result;
  std::set<size_t> Taken;
  auto Grow = [&](size_t Seed, bool Backwards) {
    std::set<size_t> Group{Seed};
    std::set<std::string> Defined = Units[Seed].Defines;
    std::vector<size_t> Work{Seed};
    while (!Work.empty()) {
      const Unit &U = Units[Work.back()];
      Work.pop_back();
      for (const auto &[Name, Headers] : U.Wants) {
        if (Defined.count(Name))
          continue;
        if (std::optional<size_t> D = Definer(U, Name, Headers); D && Group.insert(*D).second) {
          Defined.insert(Units[*D].Defines.begin(), Units[*D].Defines.end());
          Work.push_back(*D);
        }
      }
      if (!Backwards || !Work.empty())
        continue;
      // Among parts without a main: who needs these.
      for (size_t Other = 0; Other < Units.size(); ++Other) {
        if (!IsPart(Other) || Group.count(Other) || Taken.count(Other))
          continue;
        if (llvm::any_of(Units[Other].Wants, [&](const auto &Want) {
              std::optional<size_t> D = Definer(Units[Other], Want.first, Want.second);
              return D && Group.count(*D);
            })) {
          Group.insert(Other);
          Defined.insert(Units[Other].Defines.begin(), Units[Other].Defines.end());
          Work.push_back(Other);
        }
      }
    }
    Taken.insert(Group.begin(), Group.end());
    return std::vector<size_t>(Group.begin(), Group.end());
  };
  for (size_t I = 0; I < Units.size(); ++I)
    if (Units[I].HasMain)
      Result.Groups.push_back(Grow(I, /*Backwards=*/false));
  for (size_t I = 0; I < Units.size(); ++I)
    if (IsPart(I) && !Taken.count(I))
      Result.Groups.push_back(Grow(I, /*Backwards=*/true));
  llvm::sort(Result.Groups);
  return Result;
}

} // namespace torch_tidy::tool
