// The folder around some sources: its headers and sources, and which file an #include means.
#pragma once

#include "SourceScan.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace torch_tidy::tool {

/// Without a compile database the flags of a project are guessed from how its files lie. A guess
/// that may be wrong is not made: a header that is not found hides itself, the wrong one misleads.
class Project {
public:
  /// The project around a file or folder: upwards to the folder that holds a checkout (.git), or
  /// the topmost that looks like a project (CMakeLists.txt, README, LICENSE ...). Where nothing
  /// does, only what lies beside the file, in its folder and in include/ and src/ there, belongs to
  /// it. An absolute path.
  static Project around(llvm::StringRef FileOrFolder);

  const std::string &root() const { return Root; }
  const std::vector<std::string> &sources() const { return Sources; }
  const std::vector<std::string> &lists() const { return Lists; } ///< CMakeLists.txt
  /// Files that the user named lie in the project wherever they are.
  void addSource(const std::string &File);

  struct Header {
    std::string File;   ///< empty: not in the project, or not to be told which
    std::string Folder; ///< to search it in; empty: beside the including file
  };
  Header resolve(llvm::StringRef From, const Include &What);

  struct Scanned {
    SourceScan Scan;
    std::vector<Header> Direct; ///< parallel to Scan.Includes
  };
  const Scanned &scan(const std::string &File);

  /// The project's headers that a file includes, directly or through others.
  const std::set<std::string> &reach(const std::string &File);

private:
  void collect(llvm::StringRef Folder, bool Deep);

  std::string Root;
  std::vector<std::string> Sources, Lists;
  std::multimap<std::string, std::string> Headers; ///< by file name
  std::map<std::string, Scanned> Scans;
  std::map<std::string, std::set<std::string>> Reached;
};

} // namespace torch_tidy::tool
