#include "table.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;
namespace {

// Characters, not bytes: for columns.
size_t width(const std::string &text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

} // namespace

std::string table(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width(row[i]));
    }
  }
  std::ostringstream text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    text << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
  }
  return text.str();
}

std::string short_place(const std::string &file, int64_t line) {
  const std::string relative = fs::path(file).lexically_relative(fs::current_path());
  return (relative.empty() || relative.rfind("..", 0) == 0 ? fs::path(file).filename().string()
                                                           : relative) +
         ":" + std::to_string(line);
}

std::string affected(const Verdict &verdict) {
  if (!verdict.precision.empty() &&
      verdict.modes.at(verdict.precision.front()).observed.outcome == Outcome::throws) {
    return "all: it raises";
  }
  std::vector<std::string> names;
  for (const std::string &precision : verdict.precision) {
    for (const ParameterOutcome &one : verdict.modes.at(precision).observed.parameters) {
      if (one.outcome != Outcome::benign &&
          std::find(names.begin(), names.end(), one.name) == names.end()) {
        names.push_back(one.name);
      }
    }
    if (!names.empty()) {
      break; // fp32's, or the first precision that shows it
    }
  }
  std::string text;
  for (size_t i = 0; i < names.size() && i < 3; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > 3 ? text + " and " + std::to_string(names.size() - 3) + " more" : text;
}

} // namespace torch_tidy::confirm
