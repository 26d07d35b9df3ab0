// Builds variants of a program as shared libraries that torch-tidy-run loads.
//
// Note [What is cached]
// All under $XDG_CACHE_HOME/torch-tidy/confirm (or ~/.cache/...), keyed by content:
//   pch/       torch_tidy/confirm.h precompiled, one per compiler and set of flags. One small
//   source as
//              C++20 with LibTorch 2.15: 11.3 s with g++ 12 without, 4.3 s with it (733 MB, 26 s
//              once); clang 22: 3.0 s (128 MB, 9 s once), hence clang where it is there.
//   sources/   the files of a variant that differ from the user's, in trees named for their content
//   objects/   by command, source and the user's headers that it read
//   programs/  by the objects linked
//   runs/      what a program did, by program, precision, device, seed and steps
// Files get their final name when they are whole, so several confirmations may share it.
#pragma once

#include "process.h"

#include <map>
#include <string>
#include <vector>

namespace torch_tidy::confirm {

struct SourceFile {
  std::string path;               ///< absolute, the user's
  std::string directory;          ///< where its command runs
  std::vector<std::string> flags; ///< the user's, without those that name outputs or LibTorch
};

/// The sources linked into one program.
struct Program {
  std::vector<SourceFile> sources;
};

struct ToolchainOptions {
  std::string compiler; ///< empty: clang++ where it is there, else what built the runtime
  std::string cache;    ///< empty: the default folder
  unsigned jobs = 2;
  std::chrono::seconds compile_timeout{600};
  bool verbose = false;
};

struct Variant {
  const Program *program = nullptr;
  std::map<std::string, std::string> changed; ///< absolute path -> contents
  std::string library;                        ///< out: the built program; empty where that failed
  std::string failure;                        ///< out: why
};

class Builder {
public:
  /// Throws UserError where there is no compiler or no cache folder can be made.
  explicit Builder(ToolchainOptions options);

  /// Builds all of them, compiling what they share once. Fills in library or failure.
  void build(std::vector<Variant> &variants);

  /// What the source includes of the user's (not LibTorch's nor the system's), and itself; empty
  /// where it cannot be preprocessed.
  std::vector<std::string> user_headers(const SourceFile &source);

  /// Where the runs' results are kept.
  const std::string &runs() const { return runs_; }
  /// The program in which a library runs.
  const std::string &runner() const { return runner_; }
  /// Changes with the runtime library and LibTorch.
  const std::string &identity() const { return identity_; }
  /// "net.cpp:12" for an address in a built program; empty where it is not known.
  std::string source_line(const std::string &library, uint64_t address) const;

private:
  struct Compilation;
  std::vector<std::string> command_start(const std::string &compiler,
                                         const std::vector<std::string> &flags) const;
  std::vector<std::string> link_flags(const Program &program) const;
  void precompile(const std::vector<Compilation *> &compilations);
  void materialize(Variant &variant, std::map<std::string, std::string> &moved, std::string &root);
  bool fresh(Compilation &compilation) const;
  void remember(const Compilation &compilation) const;

  ToolchainOptions options_;
  std::string compiler_;
  std::string compiler_identity_;
  std::string runtime_includes_;
  std::string runtime_library_;
  std::string runner_;
  std::string identity_;
  std::string pch_, sources_, objects_, programs_, runs_;
  std::map<std::string, std::string> pch_headers_; ///< key -> header to include; "" where it failed
};

} // namespace torch_tidy::confirm
