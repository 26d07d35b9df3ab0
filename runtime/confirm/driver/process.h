// Runs commands in parallel, each in its own process group with limits of time and memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

struct Command {
  std::vector<std::string> arguments; ///< [0] is looked up in PATH
  std::string directory;              ///< empty: the current one
  std::string output;                 ///< file that gets standard output ...
  std::string errors;                 ///< ... and standard error; empty: the same as `output`
  std::chrono::seconds timeout{600};  ///< the whole process group is killed then
  uint64_t memory = 0;                ///< bytes of private writable memory; 0: no limit
};

struct Exit {
  int status = -1; ///< exit status, or -1
  int signal = 0;  ///< that ended it, or 0
  bool timed_out = false;
  std::string error; ///< why it could not be started

  bool ok() const { return status == 0; }
};

/// Runs all of them, at most `jobs` at a time, and returns how each ended, in order. When this
/// process is interrupted (SIGINT, SIGTERM) the running ones are killed first.
std::vector<Exit> run_all(const std::vector<Command> &commands, unsigned jobs);

/// A clause for people: "took more than 5 s", "crashed (Segmentation fault)", "exit status 3".
std::string told(const Exit &exit, const Command &command);

} // namespace torch_tidy::confirm
