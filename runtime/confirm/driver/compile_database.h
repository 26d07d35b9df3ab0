// Flags of the sources, and which of them make a program, from compile_commands.json.
#pragma once

#include "build.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

class CompileDatabase {
public:
  CompileDatabase() = default;
  /// Reads `folder`/compile_commands.json (or the file itself). Throws UserError for what is none.
  explicit CompileDatabase(const std::string &folder);

  const SourceFile *find(const std::string &path) const;
  /// The sources whose objects go into one program.
  const std::vector<std::vector<std::string>> &targets() const { return groups_; }

private:
  void add(const nlohmann::json &entry, const std::string &folder);

  std::map<std::string, SourceFile> files_;
  std::vector<std::vector<std::string>> groups_;
  std::map<std::string, size_t> group_of_;
};

} // namespace torch_tidy::confirm
