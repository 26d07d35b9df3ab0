#include "files.h"

#include "findings.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

std::string hash(const std::vector<std::string> &parts) {
  // FNV-1a, twice with different starts: keys of a cache, nothing to defend against.
  uint64_t a = 0xcbf29ce484222325;
  uint64_t b = 0x84222325cbf29ce4;
  for (const std::string &part : parts) {
    for (const char c : part + '\0') {
      a = (a ^ static_cast<unsigned char>(c)) * 0x100000001b3;
      b = (b ^ static_cast<unsigned char>(c)) * 0x100000001b3;
      b ^= b >> 29;
    }
  }
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(a),
                static_cast<unsigned long long>(b));
  return text;
}

std::vector<std::string> split(const std::string &list, char separator) {
  std::vector<std::string> result;
  std::istringstream stream(list);
  for (std::string one; std::getline(stream, one, separator);) {
    if (!one.empty()) {
      result.push_back(one);
    }
  }
  return result;
}

std::vector<std::string> shell_words(const std::string &line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false; // of a word, be it empty: ''
  char quote = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size() &&
        (quote == 0 || std::string("\"\\$`").find(line[i + 1]) != std::string::npos)) {
      word += line[++i];
      inside = true;
    } else if (quote != 0 ? c == quote : c == '\'' || c == '"') {
      quote = quote != 0 ? 0 : c;
      inside = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (inside) {
        words.push_back(word);
      }
      word.clear();
      inside = false;
    } else {
      word += c;
      inside = true;
    }
  }
  if (inside) {
    words.push_back(word);
  }
  return words;
}

bool starts_with(const std::string &text, const std::string &prefix) {
  return text.rfind(prefix, 0) == 0;
}

std::string find_in_path(const std::string &name) {
  if (name.find('/') != std::string::npos) {
    return access(name.c_str(), X_OK) == 0 ? name : "";
  }
  const char *const path = std::getenv("PATH");
  for (const std::string &folder : split(path != nullptr ? path : "", ':')) {
    const std::string candidate = folder + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0 && !fs::is_directory(candidate)) {
      return candidate;
    }
  }
  return "";
}

std::string capture(const std::vector<std::string> &arguments) {
  std::string quoted;
  for (const std::string &argument : arguments) {
    quoted += "'";
    for (const char c : argument) {
      quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    quoted += "' ";
  }
  std::string text;
  if (FILE *const pipe = popen((quoted + "2>/dev/null").c_str(), "r")) {
    char buffer[4096];
    for (size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
      text.append(buffer, n);
    }
    pclose(pipe);
  }
  return text;
}

std::string stamp(const std::string &path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error).time_since_epoch().count();
  const auto size = fs::file_size(path, error);
  return path + "@" + std::to_string(time) + "@" + std::to_string(size);
}

std::string own_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

std::string common_folder(const std::vector<std::string> &files) {
  fs::path common = fs::path(files.front()).parent_path();
  for (const std::string &file : files) {
    while (!starts_with(file, common.string() == "/" ? "/" : common.string() + "/")) {
      common = common.parent_path();
    }
  }
  return common;
}

// The prerequisites of a dependency file that are the user's.
std::vector<std::string> dependencies(const std::string &file) {
  std::string text;
  try {
    text = read_file(file);
  } catch (const UserError &) {
    return {};
  }
  std::vector<std::string> result;
  std::string word;
  size_t i = text.find(": ");
  for (i = i == std::string::npos ? text.size() : i + 2; i <= text.size(); ++i) {
    const char c = i < text.size() ? text[i] : '\n';
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == ' ' || text[i + 1] == '#')) {
      word += text[++i];
    } else if (c == ' ' || c == '\n' || c == '\\') {
      if (!word.empty()) {
        result.push_back(word);
      }
      word.clear();
    } else {
      word += c;
    }
  }
  return result;
}

std::string first_error(const std::string &log) {
  std::ifstream file(log);
  std::string line;
  std::string first;
  while (std::getline(file, line)) {
    if (first.empty() && !line.empty()) {
      first = line;
    }
    if (line.find("error") != std::string::npos ||
        line.find("undefined reference") != std::string::npos) {
      return line;
    }
  }
  return first.empty() ? "no message" : first;
}

} // namespace torch_tidy::confirm
