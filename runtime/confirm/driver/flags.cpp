#include "flags.h"

#include "files.h"

#include <filesystem>
#include <set>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

bool is_include_flag(const std::string &flag) {
  return flag == "-I" || flag == "-isystem" || flag == "-iquote" || flag == "-idirafter";
}

void without_includes(std::vector<std::string> &flags) {
  for (size_t i = 0; i < flags.size();) {
    if (is_include_flag(flags[i]) && i + 1 < flags.size()) {
      flags.erase(flags.begin() + static_cast<std::ptrdiff_t>(i),
                  flags.begin() + static_cast<std::ptrdiff_t>(i + 2));
    } else if (starts_with(flags[i], "-I") || starts_with(flags[i], "-iquote") ||
               starts_with(flags[i], "-isystem") || starts_with(flags[i], "-idirafter")) {
      flags.erase(flags.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

std::vector<std::string> user_flags(const std::vector<std::string> &command,
                                    const std::string &source, const std::string &directory) {
  static const std::set<std::string> dropped_with_value = {
      "-o", "-MF", "-MT", "-MQ", "-include-pch", "-x", "-arch", "--serialize-diagnostics"};
  static const std::set<std::string> dropped = {"-c",    "-MD",  "-MMD",          "-MP",   "-MG",
                                                "-M",    "-MM",  "-Winvalid-pch", "-pipe", "-fPIE",
                                                "-fpie", "-pie", "-fPIC",         "-fpic"};
  const auto absolute = [&](const std::string &path) {
    return (fs::path(directory) / path).lexically_normal().string();
  };
  const auto is_torch = [&](const std::string &folder) {
    return fs::exists(absolute(folder) + "/torch/torch.h") ||
           fs::exists(absolute(folder) + "/ATen/ATen.h");
  };
  std::vector<std::string> flags;
  for (size_t i = 0; i < command.size(); ++i) {
    const std::string &one = command[i];
    if (dropped.count(one) != 0 || one == source || absolute(one) == source ||
        starts_with(one, "-Werror") || starts_with(one, "-O") || starts_with(one, "-g") ||
        starts_with(one, "-flto") || starts_with(one, "-D_GLIBCXX_USE_CXX11_ABI")) {
      continue;
    }
    if (dropped_with_value.count(one) != 0) {
      ++i;
      continue;
    }
    if ((one == "-include" || one == "-Xclang") && i + 1 < command.size()) {
      // CMake's precompiled headers: -include .../cmake_pch.hxx, or through -Xclang.
      if (command[i + 1].find("cmake_pch") != std::string::npos ||
          command[i + 1] == "-include-pch" || command[i + 1] == "-include" ||
          starts_with(command[i + 1], "-emit-pch") || starts_with(command[i + 1], "-fno-pch")) {
        ++i;
        continue;
      }
      flags.push_back(one);
      flags.push_back(command[++i]);
      continue;
    }
    if (is_include_flag(one) && i + 1 < command.size()) {
      const std::string &folder = command[++i];
      if (!is_torch(folder)) {
        flags.push_back(one);
        flags.push_back(absolute(folder));
      }
      continue;
    }
    bool joined = false;
    for (const char *const prefix : {"-I", "-isystem", "-iquote"}) {
      if (starts_with(one, prefix)) {
        const std::string folder = one.substr(std::string(prefix).size());
        if (!is_torch(folder)) {
          flags.emplace_back(prefix);
          flags.push_back(absolute(folder));
        }
        joined = true;
        break;
      }
    }
    if (!joined) {
      flags.push_back(one);
    }
  }
  return flags;
}

} // namespace torch_tidy::confirm
