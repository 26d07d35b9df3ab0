// Small things about files, names and commands that building needs.
#pragma once

#include <string>
#include <vector>

namespace torch_tidy::confirm {

/// Joins what makes a key and hashes it (128 bits, hexadecimal).
std::string hash(const std::vector<std::string> &parts);

/// The non-empty parts of `list` between separators.
std::vector<std::string> split(const std::string &list, char separator);
/// The words of a command line as a POSIX shell splits it: quotes and backslashes, nothing expanded.
std::vector<std::string> shell_words(const std::string &line);
bool starts_with(const std::string &text, const std::string &prefix);

/// The executable that `name` means, as a shell finds it; empty where there is none.
std::string find_in_path(const std::string &name);
/// Standard output of a command; empty where it cannot be run.
std::string capture(const std::vector<std::string> &arguments);
/// Changes when the file does: path, time and size.
std::string stamp(const std::string &path);
/// Where this program lies.
std::string own_folder();
/// The deepest folder that holds all files (at least one; absolute paths).
std::string common_folder(const std::vector<std::string> &files);
/// What a dependency file (make's syntax, as compilers write it) lists for its one target.
std::vector<std::string> dependencies(const std::string &file);
/// The first line of a compiler's log that names an error, else its first line.
std::string first_error(const std::string &log);

} // namespace torch_tidy::confirm
