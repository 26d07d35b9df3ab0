// Where the changed files of a variant lie, so that its sources and headers find each other.
#include "build.h"

#include "files.h"
#include "findings.h"
#include "flags.h"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

// Puts the variant's files into a tree named for their content, at the places that they have
// relative to each other. Where a header is among them, all headers of the user's that its sources
// read come along, so that every #include "..." between them finds the variant's.
void Builder::materialize(Variant &variant, std::map<std::string, std::string> &moved,
                          std::string &root) {
  std::map<std::string, std::string> files = variant.changed;
  const std::vector<SourceFile> &sources = variant.program->sources;
  const bool header_changed = std::any_of(files.begin(), files.end(), [&](const auto &file) {
    return std::none_of(sources.begin(), sources.end(),
                        [&](const SourceFile &source) { return source.path == file.first; });
  });
  if (header_changed) {
    for (const SourceFile &source : sources) {
      for (const std::string &file : user_headers(source)) {
        if (files.count(file) == 0) {
          files[file] = read_file(file);
        }
      }
    }
  }
  std::vector<std::string> paths;
  std::vector<std::string> parts;
  for (const auto &[path, text] : files) {
    paths.push_back(path);
    parts.push_back(path);
    parts.push_back(text);
  }
  root = common_folder(paths);
  const std::string tree = sources_ + "/" + hash(parts);
  if (!fs::exists(tree)) {
    const std::string temporary = tree + "." + std::to_string(getpid());
    for (const auto &[path, text] : files) {
      const fs::path place = fs::path(temporary) / fs::path(path).lexically_relative(root);
      fs::create_directories(place.parent_path());
      write_atomically(place, text);
    }
    std::error_code error;
    fs::rename(temporary, tree, error);
    if (error) { // somebody else was faster
      fs::remove_all(temporary, error);
    }
  }
  for (const auto &[path, text] : files) {
    moved[path] = (fs::path(tree) / fs::path(path).lexically_relative(root)).string();
  }
}

} // namespace torch_tidy::confirm
