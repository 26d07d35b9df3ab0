#include "findings.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;
namespace {

using json = nlohmann::ordered_json;

std::string percent_decoded(const std::string &text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && std::isxdigit(text[i + 1]) != 0 &&
        std::isxdigit(text[i + 2]) != 0) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string without_scheme(const std::string &uri) {
  const std::string decoded = percent_decoded(uri);
  if (decoded.rfind("file://", 0) == 0) {
    const size_t path = decoded.find('/', 7); // file://host/path
    return path == std::string::npos ? "" : decoded.substr(path);
  }
  return decoded;
}

// An artifact's absolute path. Relative ones are relative to their base, else to where the tool ran
// (invocations[0].workingDirectory), else to the findings file's folder or the current one,
// whichever has the file.
class Artifacts {
public:
  Artifacts(const json &run, const fs::path &folder) : run_(run), folder_(folder) {}

  std::string path(const json &location) const {
    fs::path path = without_scheme(location.value("uri", ""));
    if (path.empty() && location.contains("index") && run_.contains("artifacts")) {
      return this->path(run_.at("artifacts").at(location["index"].get<size_t>()).at("location"));
    }
    if (path.is_relative()) {
      fs::path base = base_of(location.value("uriBaseId", ""));
      if (base.empty() && run_.contains("invocations") && !run_["invocations"].empty()) {
        const json &invocation = run_["invocations"][0];
        if (invocation.contains("workingDirectory")) {
          base = without_scheme(invocation["workingDirectory"].value("uri", ""));
        }
      }
      if (base.empty()) {
        base = fs::exists(folder_ / path) ? folder_ : fs::current_path();
      }
      path = base / path;
    }
    return path.lexically_normal();
  }

private:
  fs::path base_of(const std::string &id) const {
    if (id.empty() || !run_.contains("originalUriBaseIds") ||
        !run_["originalUriBaseIds"].contains(id)) {
      return {};
    }
    const json &base = run_["originalUriBaseIds"][id];
    fs::path path = without_scheme(base.value("uri", ""));
    if (path.is_relative() && base.contains("uriBaseId")) {
      path = base_of(base["uriBaseId"].get<std::string>()) / path;
    }
    return path;
  }

  const json &run_;
  fs::path folder_;
};

size_t sequence_length(unsigned char lead) {
  return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

// The byte offset of the `count`-th character from `from`; characters are UTF-16 code units, or
// code points where the run says so (columnKind).
size_t advance(const std::string &text, size_t from, int64_t count, bool code_points) {
  while (count > 0 && from < text.size()) {
    const size_t length = sequence_length(static_cast<unsigned char>(text[from]));
    count -= !code_points && length == 4 ? 2 : 1;
    from += length;
  }
  if (count > 0) {
    throw std::out_of_range("it ends behind the end of the file");
  }
  return std::min(from, text.size());
}

size_t start_of_line(const std::string &text, int64_t line) {
  size_t at = 0;
  for (int64_t i = 1; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string::npos) {
      throw std::out_of_range("the file has no line " + std::to_string(line));
    }
    ++at;
  }
  return at;
}

Edit edit_of(const json &replacement, const std::string &file, const std::string &text,
             bool code_points) {
  const json &region = replacement.at("deletedRegion");
  Edit edit;
  edit.file = file;
  if (replacement.contains("insertedContent")) {
    edit.text = replacement["insertedContent"].value("text", "");
  }
  if (region.contains("byteOffset")) {
    edit.offset = region["byteOffset"].get<size_t>();
    edit.length = region.value("byteLength", size_t{0});
  } else if (region.contains("charOffset")) {
    edit.offset = advance(text, 0, region["charOffset"].get<int64_t>(), code_points);
    edit.length = advance(text, edit.offset, region.value("charLength", int64_t{0}), code_points) -
                  edit.offset;
  } else {
    const auto line = region.at("startLine").get<int64_t>();
    const auto end_line = region.value("endLine", line);
    edit.offset = advance(text, start_of_line(text, line),
                          region.value("startColumn", int64_t{1}) - 1, code_points);
    size_t end = 0;
    if (region.contains("endColumn")) {
      end = advance(text, start_of_line(text, end_line), region["endColumn"].get<int64_t>() - 1,
                    code_points);
    } else {
      end = std::min(text.find('\n', start_of_line(text, end_line)), text.size());
    }
    if (end < edit.offset) {
      throw std::out_of_range("it ends before it starts");
    }
    edit.length = end - edit.offset;
  }
  if (edit.offset > text.size() || edit.length > text.size() - edit.offset) {
    throw std::out_of_range("it ends behind the end of the file");
  }
  // Offset and line name the same place, unless the file is another by now.
  if (region.contains("startLine") &&
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(edit.offset), '\n') + 1 !=
          region["startLine"].get<int64_t>()) {
    throw std::out_of_range("its line and its offset are not the same place");
  }
  return edit;
}

void read_fix(const json &result, const Artifacts &artifacts, bool code_points, Finding &finding) {
  if (!result.contains("fixes") || result["fixes"].empty()) {
    return;
  }
  try {
    for (const json &change : result["fixes"][0].at("artifactChanges")) {
      const std::string file = artifacts.path(change.at("artifactLocation"));
      const std::string text = read_file(file);
      for (const json &replacement : change.at("replacements")) {
        finding.edits.push_back(edit_of(replacement, file, text, code_points));
      }
    }
  } catch (const UserError &error) {
    finding.unusable_fix = error.what();
  } catch (const std::exception &error) {
    finding.unusable_fix =
        std::string("its fix does not fit the file (changed since the analysis?): ") + error.what();
  }
  if (!finding.unusable_fix.empty()) {
    finding.edits.clear();
  }
}

bool overlap(const Edit &a, const Edit &b) {
  if (a.file != b.file || a == b) {
    return false;
  }
  // Two insertions at one place have no order; an insertion at the edge of a replacement is fine.
  if (a.offset == b.offset && a.length == 0 && b.length == 0) {
    return true;
  }
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

} // namespace

std::string read_file(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || fs::is_directory(path) || !(text << file.rdbuf() || file.peek() == EOF)) {
    throw UserError("cannot read " + path + ": " + std::strerror(errno != 0 ? errno : EIO));
  }
  return text.str();
}

void write_atomically(const std::string &path, const std::string &text) {
  const std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  const auto fail = [&] {
    const std::string why = std::strerror(errno);
    unlink(temporary.c_str());
    throw UserError("cannot write " + path + ": " + why);
  };
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (file < 0) {
    fail();
  }
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = write(file, text.data() + written, text.size() - written);
    if (n < 0 && errno != EINTR) {
      close(file);
      fail();
    }
    written += n > 0 ? static_cast<size_t>(n) : 0;
  }
  if (fsync(file) != 0 || close(file) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    fail();
  }
}

FindingsFile read_findings(const std::string &path) {
  FindingsFile result;
  const std::string text = read_file(path);
  try {
    result.document = json::parse(text);
  } catch (const nlohmann::json::parse_error &error) {
    throw UserError(path + " is not JSON (byte " + std::to_string(error.byte) +
                    "). Write it with: torch-tidy check --format sarif --output " + path);
  }
  if (!result.document.is_object() || result.document.value("version", json()) != "2.1.0" ||
      !result.document.contains("runs") || !result.document["runs"].is_array()) {
    throw UserError(path +
                    " is no SARIF 2.1.0 file (it needs \"version\": \"2.1.0\" and \"runs\"). "
                    "Write it with: torch-tidy check --format sarif --output " +
                    path);
  }
  const fs::path folder = fs::absolute(path).parent_path();
  size_t run_index = 0;
  size_t result_index = 0;
  try {
    for (const json &run : result.document["runs"]) {
      const Artifacts artifacts(run, folder);
      const bool code_points = run.value("columnKind", "") == "unicodeCodePoints";
      if (run.contains("properties") && run["properties"].contains("sources")) {
        for (const json &group : run["properties"]["sources"]) {
          std::vector<std::string> &sources = result.source_groups.emplace_back();
          // One source alone may be written without its list.
          for (const json &source : group.is_array() ? group : json::array({group})) {
            sources.push_back(artifacts.path({{"uri", source.get<std::string>()}}));
          }
        }
      }
      result_index = 0;
      for (const json &one : run.value("results", json::array())) {
        Finding finding;
        finding.run = run_index;
        finding.result = result_index++;
        finding.rule = one.value("ruleId", "");
        finding.level = one.value("level", "warning"); // SARIF's own default
        const json &location = one.at("locations").at(0).at("physicalLocation");
        finding.file = artifacts.path(location.at("artifactLocation"));
        finding.line = location.value("region", json::object()).value("startLine", int64_t{0});
        const json properties = one.value("properties", json::object());
        finding.predicted = properties.value("outcome", "");
        finding.certainty = properties.value("certainty", "");
        read_fix(one, artifacts, code_points, finding);
        result.findings.push_back(std::move(finding));
      }
      ++run_index;
    }
  } catch (const nlohmann::json::exception &error) {
    throw UserError(path + ": runs[" + std::to_string(run_index) + "].results[" +
                    std::to_string(result_index > 0 ? result_index - 1 : 0) +
                    "] is not as SARIF 2.1.0 has it: " + error.what());
  }
  return result;
}

std::vector<size_t> compatible(const std::vector<Finding> &findings,
                               const std::vector<size_t> &among,
                               std::map<size_t, std::string> &conflicts) {
  std::vector<size_t> chosen;
  for (const size_t i : among) {
    if (findings[i].edits.empty()) {
      continue;
    }
    const auto clash = std::find_if(chosen.begin(), chosen.end(), [&](size_t other) {
      for (const Edit &a : findings[i].edits) {
        for (const Edit &b : findings[other].edits) {
          if (overlap(a, b)) {
            return true;
          }
        }
      }
      return false;
    });
    if (clash == chosen.end()) {
      chosen.push_back(i);
    } else {
      conflicts[i] = "its fix overlaps that of " + findings[*clash].rule + " in line " +
                     std::to_string(findings[*clash].line);
    }
  }
  return chosen;
}

std::map<std::string, std::string> apply_fixes(const std::vector<Finding> &findings,
                                               const std::vector<size_t> &applied,
                                               std::optional<size_t> but) {
  std::map<std::string, std::vector<Edit>> by_file;
  static const std::vector<Edit> none;
  const std::vector<Edit> &left_out = but ? findings[*but].edits : none;
  for (const size_t i : applied) {
    for (const Edit &edit : findings[i].edits) {
      std::vector<Edit> &edits = by_file[edit.file];
      if (std::find(edits.begin(), edits.end(), edit) == edits.end() &&
          std::find(left_out.begin(), left_out.end(), edit) == left_out.end()) {
        edits.push_back(edit);
      }
    }
  }
  std::map<std::string, std::string> texts;
  for (auto &[file, edits] : by_file) {
    std::string text = read_file(file);
    // From the end, so that offsets stay valid; at one place the insertion comes before what
    // follows.
    std::stable_sort(edits.begin(), edits.end(), [](const Edit &a, const Edit &b) {
      return a.offset != b.offset ? a.offset > b.offset : a.length > b.length;
    });
    for (const Edit &edit : edits) {
      text.replace(edit.offset, edit.length, edit.text);
    }
    texts[file] = std::move(text);
  }
  return texts;
}

} // namespace torch_tidy::confirm
