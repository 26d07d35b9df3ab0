// What torch-tidy-confirm was asked for.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace torch_tidy::confirm {

struct Options {
  std::vector<std::string> inputs;  ///< a findings file, or sources
  std::vector<std::string> sources; ///< of the program; empty: found out
  std::string build_folder;         ///< with compile_commands.json
  std::vector<std::string> extra_arguments;
  std::string torch;
  std::vector<std::string> precision = {"fp32", "bf16", "fp16"};
  std::string device = "auto";
  unsigned timeout = 60;  ///< seconds per run
  uint64_t memory = 8192; ///< MiB per run
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string output;
  int64_t steps = 5;
  uint64_t seed = 1;
  std::string fail_on = "error";
  std::string compiler;
  std::string cache;
  bool fresh = false;
  bool verbose = false;
};

} // namespace torch_tidy::confirm
