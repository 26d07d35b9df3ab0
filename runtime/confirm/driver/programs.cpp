#include "programs.h"

#include "flags.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

std::string absolute(const std::string &path) {
  return fs::absolute(path).lexically_normal().string();
}

Programs::Programs(const Options &options, Builder &builder)
    : options_(options), builder_(builder),
      database_(options.build_folder.empty() ? CompileDatabase()
                                             : CompileDatabase(options.build_folder)) {}

SourceFile Programs::source_file(const std::string &path) const {
  SourceFile source;
  if (const SourceFile *const known = database_.find(path)) {
    source = *known;
  } else {
    source.path = path;
    source.directory = fs::current_path();
  }
  for (const std::string &flag :
       user_flags(options_.extra_arguments, source.path, fs::current_path())) {
    source.flags.push_back(flag);
  }
  return source;
}

Program Programs::program_of(const std::vector<std::string> &sources) const {
  Program program;
  for (const std::string &source : sources) {
    program.sources.push_back(source_file(source));
  }
  return program;
}

std::optional<std::vector<std::string>> Programs::sources_of(const Finding &finding,
                                                             const FindingsFile &file) {
  if (!options_.sources.empty()) {
    std::vector<std::string> sources;
    for (const std::string &source : options_.sources) {
      sources.push_back(absolute(source));
    }
    return sources;
  }
  std::vector<std::vector<std::string>> groups = file.source_groups;
  groups.insert(groups.end(), database_.targets().begin(), database_.targets().end());
  for (const auto &group : groups) {
    if (std::find(group.begin(), group.end(), finding.file) != group.end()) {
      return group;
    }
  }
  static const std::set<std::string> source_extensions = {".cpp", ".cc", ".cxx",
                                                          ".c++", ".C",  ".cu"};
  if (source_extensions.count(fs::path(finding.file).extension()) != 0) {
    return std::vector<std::string>{finding.file};
  }
  // A header: the first program that reads it.
  for (const auto &group : groups) {
    for (const std::string &source : group) {
      auto known = headers_.find(source);
      if (known == headers_.end()) {
        known = headers_.emplace(source, builder_.user_headers(source_file(source))).first;
      }
      const auto &headers = known->second;
      if (std::find(headers.begin(), headers.end(), finding.file) != headers.end()) {
        return group;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> Programs::sources_with(const std::string &source) const {
  std::vector<std::string> sources = {source};
  for (const auto &group : database_.targets()) {
    if (std::find(group.begin(), group.end(), source) != group.end()) {
      sources = group;
      break;
    }
  }
  for (const std::string &named : options_.sources) {
    if (std::find(sources.begin(), sources.end(), absolute(named)) == sources.end()) {
      sources.push_back(absolute(named));
    }
  }
  return sources;
}

} // namespace torch_tidy::confirm
