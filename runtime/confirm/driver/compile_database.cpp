#include "compile_database.h"

#include "files.h"
#include "findings.h"
#include "flags.h"

#include <filesystem>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

CompileDatabase::CompileDatabase(const std::string &folder) {
  const std::string path = fs::is_directory(folder) ? folder + "/compile_commands.json" : folder;
  nlohmann::json document;
  try {
    document = nlohmann::json::parse(read_file(path));
    for (const nlohmann::json &entry : document) {
      add(entry, fs::absolute(path).parent_path());
    }
  } catch (const nlohmann::json::exception &error) {
    throw UserError(path + " is no compile database (" + error.what() +
                    "); CMake writes one with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON");
  }
}

const SourceFile *CompileDatabase::find(const std::string &path) const {
  const auto it = files_.find(path);
  return it == files_.end() ? nullptr : &it->second;
}

void CompileDatabase::add(const nlohmann::json &entry, const std::string &folder) {
  const fs::path directory = fs::path(folder) / entry.value("directory", ".");
  SourceFile source;
  source.directory = directory.lexically_normal();
  source.path = (directory / entry.at("file").get<std::string>()).lexically_normal();
  std::vector<std::string> command;
  if (entry.contains("arguments")) {
    entry["arguments"].get_to(command);
  } else {
    command = shell_words(entry.at("command").get<std::string>());
  }
  // A launcher (ccache, cmake -E env A=B ccache) comes before the compiler: flags begin behind
  // the last word that is none.
  size_t first = 0;
  while (first < command.size() &&
         (command[first].empty() || command[first][0] != '-' || command[first] == "-E")) {
    ++first;
  }
  std::string output = entry.value("output", "");
  for (size_t i = first; i + 1 < command.size(); ++i) {
    if (command[i] == "-o") {
      output = output.empty() ? command[i + 1] : output;
    }
  }
  source.flags = user_flags({command.begin() + static_cast<std::ptrdiff_t>(first), command.end()},
                            source.path, source.directory);
  // CMake: <folder>/CMakeFiles/<target>.dir/<source>.o; others: all objects of one folder.
  const std::string object = (directory / output).lexically_normal();
  const size_t target = object.find(".dir/");
  const std::string group = output.empty()                ? source.path
                            : target != std::string::npos ? object.substr(0, target)
                                                          : fs::path(object).parent_path().string();
  const auto [it, inserted] = group_of_.emplace(group, groups_.size());
  if (inserted) {
    groups_.emplace_back();
  }
  if (source.path.find("cmake_pch") == std::string::npos) {
    groups_[it->second].push_back(source.path);
    files_.emplace(source.path, std::move(source));
  }
}

} // namespace torch_tidy::confirm
