// Which sources make the program that a finding is in, and how each is compiled.
#pragma once

#include "build.h"
#include "compile_database.h"
#include "findings.h"
#include "options.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

class Programs {
public:
  /// Throws UserError where the compile database that `options` name is none.
  Programs(const Options &options, Builder &builder);

  /// The sources of the finding's program: those named on the command line, else of the findings
  /// file, else of the compile database, else the finding's own file. None for a header that no
  /// known program reads.
  std::optional<std::vector<std::string>> sources_of(const Finding &finding,
                                                     const FindingsFile &file);
  /// The sources of the program that `source` is in.
  std::vector<std::string> sources_with(const std::string &source) const;
  Program program_of(const std::vector<std::string> &sources) const;

private:
  SourceFile source_file(const std::string &path) const;

  const Options &options_;
  Builder &builder_;
  CompileDatabase database_;
  std::map<std::string, std::vector<std::string>> headers_; // source -> user headers
};

/// `path` from the current folder, without . and ..
std::string absolute(const std::string &path);

} // namespace torch_tidy::confirm
