// The findings file (SARIF 2.1.0), as far as confirmation reads it.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// Something the user must mend; the message says what and how.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One replacement: bytes [offset, offset + length) of `file` become `text`.
struct Edit {
  std::string file; ///< absolute
  size_t offset = 0;
  size_t length = 0;
  std::string text;

  bool operator==(const Edit &other) const {
    return file == other.file && offset == other.offset && length == other.length &&
           text == other.text;
  }
};

struct Finding {
  size_t run = 0; ///< where it is in the file: runs[run].results[result]
  size_t result = 0;
  std::string rule;
  std::string level;
  std::string file; ///< absolute; of the primary location
  int64_t line = 0;
  std::string predicted; ///< properties.outcome; empty where there is none
  std::string certainty;
  std::vector<Edit> edits;  ///< the first of its fixes
  std::string unusable_fix; ///< why there are no edits although there is a fix
};

struct FindingsFile {
  nlohmann::ordered_json document;
  std::vector<Finding> findings;
  /// runs[].properties.sources: groups of sources that make a program, absolute.
  std::vector<std::vector<std::string>> source_groups;
};

/// Throws UserError for what is no SARIF 2.1.0.
FindingsFile read_findings(const std::string &path);

/// `text` written to `path` as a whole or not at all. Throws UserError.
void write_atomically(const std::string &path, const std::string &text);

/// Contents of a file. Throws UserError.
std::string read_file(const std::string &path);

/// Which of `findings` have edits that can be applied together; the others' indices go to
/// `conflicts` with the reason. Earlier findings win. Equal edits are no conflict.
std::vector<size_t> compatible(const std::vector<Finding> &findings,
                               const std::vector<size_t> &among,
                               std::map<size_t, std::string> &conflicts);

/// The contents of every file that the edits of `findings[i]`, i in `applied`, change; without the
/// edits of `but`, also where another finding has the same.
std::map<std::string, std::string> apply_fixes(const std::vector<Finding> &findings,
                                               const std::vector<size_t> &applied,
                                               std::optional<size_t> but = std::nullopt);

} // namespace torch_tidy::confirm
