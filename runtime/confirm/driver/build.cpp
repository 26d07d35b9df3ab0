#include "build.h"

#include "build_config.h"
#include "files.h"
#include "findings.h"
#include "flags.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;

// One object to make; variants that do not change its source share it.
struct Builder::Compilation {
  SourceFile source;
  std::string file;                 ///< what is compiled: the user's file, or the variant's
  std::vector<std::string> overlay; ///< include folders of the variant, before the user's
  std::string manifest;             ///< key over command and source
  std::string object;
  std::string failure;
  std::string pch;
};

Builder::Builder(ToolchainOptions options) : options_(std::move(options)) {
  std::vector<std::string> candidates = {"clang++-22", "clang++-19", "clang++", config::compiler,
                                         "c++"};
  if (!options_.compiler.empty()) {
    candidates = {options_.compiler};
  }
  for (const std::string &candidate : candidates) {
    compiler_ = find_in_path(candidate);
    if (!compiler_.empty()) {
      break;
    }
  }
  if (compiler_.empty()) {
    throw UserError(
        "there is no C++ compiler" +
        (options_.compiler.empty() ? std::string() : " named '" + options_.compiler + "'") +
        "; install clang or g++, or name one with --compiler");
  }
  compiler_identity_ = capture({compiler_, "--version"}) + stamp(fs::canonical(compiler_));
  // Installed: bin/torch-tidy-confirm beside ../include and ../lib; else the build tree.
  const fs::path here = own_folder();
  const bool installed = fs::exists(here / "../include/torch_tidy/confirm.h");
  runtime_includes_ =
      installed ? (here / "../include").lexically_normal().string() : config::runtime_includes;
  for (const fs::path &folder : {here / "../lib", here}) {
    if (runtime_library_.empty() && fs::exists(folder / "libtorch_tidy_runtime.so")) {
      runtime_library_ = (folder / "libtorch_tidy_runtime.so").lexically_normal();
    }
  }
  runner_ = here / "torch-tidy-run";
  if (runtime_library_.empty() || !fs::exists(runner_) ||
      !fs::exists(runtime_includes_ + "/torch_tidy/confirm.h")) {
    throw UserError("this installation is not whole: torch-tidy-run, libtorch_tidy_runtime.so or "
                    "torch_tidy/confirm.h is not where " +
                    here.string() + "/torch-tidy-confirm expects it; build or install it again");
  }
  std::vector<std::string> parts = {stamp(runtime_library_), stamp(runner_),
                                    std::string(config::torch_root) + config::torch_version};
  for (const std::string &folder : split(config::torch_libraries, ';')) {
    if (fs::exists(folder + "/libtorch_cpu.so")) {
      parts.push_back(stamp(folder + "/libtorch_cpu.so"));
    }
  }
  for (const char *const header : {"amp.h", "probe.h", "confirm.h"}) {
    parts.push_back(read_file(runtime_includes_ + "/torch_tidy/" + header));
  }
  identity_ = hash(parts);

  fs::path cache = options_.cache;
  if (cache.empty()) {
    const char *const xdg = std::getenv("XDG_CACHE_HOME");
    const char *const home = std::getenv("HOME");
    cache = xdg != nullptr && *xdg != '\0' ? fs::path(xdg)
            : home != nullptr              ? fs::path(home) / ".cache"
                                           : fs::temp_directory_path();
    cache = cache / "torch-tidy" / "confirm";
  }
  cache = fs::absolute(cache);
  const auto folder = [&](const char *name) {
    std::error_code error;
    fs::create_directories(cache / name, error);
    if (error) {
      throw UserError("cannot make the cache folder " + (cache / name).string() + ": " +
                      error.message() + "; choose another with --cache");
    }
    return (cache / name).string();
  };
  pch_ = folder("pch");
  sources_ = folder("sources");
  objects_ = folder("objects");
  programs_ = folder("programs");
  runs_ = folder("runs");
}

std::vector<std::string> Builder::command_start(const std::string &compiler,
                                                const std::vector<std::string> &flags) const {
  std::vector<std::string> command = {compiler};
  const bool has_standard = std::any_of(flags.begin(), flags.end(), [](const std::string &flag) {
    return starts_with(flag, "-std=") || starts_with(flag, "--std=");
  });
  if (!has_standard) {
    command.push_back(std::string("-std=c++") + config::torch_standard);
  }
  command.insert(command.end(), flags.begin(), flags.end());
  // The loss of speed in the program itself is nothing beside LibTorch's kernels; line tables map
  // anomaly mode's frames to source lines.
  for (const std::string flag : {"-O0", "-g1", "-w", "-fPIC", "-DTORCH_TIDY_CONFIRM"}) {
    command.push_back(flag);
  }
  command.push_back(std::string("-D_GLIBCXX_USE_CXX11_ABI=") + config::torch_abi);
  command.push_back("-isystem");
  command.push_back(runtime_includes_);
  for (const std::string &folder : split(config::torch_includes, ';')) {
    if (folder != "/usr/include") { // naming it breaks #include_next
      command.push_back("-isystem");
      command.push_back(folder);
    }
  }
  return command;
}

void Builder::precompile(const std::vector<Compilation *> &compilations) {
  for (Compilation *const one : compilations) {
    std::vector<std::string> flags = one->source.flags;
    without_includes(flags);
    std::vector<std::string> command = command_start(compiler_, flags);
    std::vector<std::string> parts = command;
    parts.push_back(compiler_identity_);
    parts.push_back(identity_);
    const std::string key = hash(parts);
    const auto known = pch_headers_.find(key);
    if (known != pch_headers_.end()) {
      one->pch = known->second;
      continue;
    }
    const std::string folder = pch_ + "/" + key;
    const std::string header = folder + "/confirm.h";
    const bool clang = compiler_identity_.find("clang") != std::string::npos;
    const std::string output = header + (clang ? ".pch" : ".gch");
    std::error_code error;
    fs::create_directories(folder, error);
    // Two confirmations that start together: the second waits, and finds it done.
    const int lock = open((folder + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock >= 0) {
      flock(lock, LOCK_EX);
    }
    if (!fs::exists(output)) {
      std::cerr << "precompiling LibTorch's header (once for these flags) ..." << std::endl;
      std::ofstream(header) << "#include <torch_tidy/confirm.h>\n";
      command.insert(command.end(), {"-x", "c++-header", header, "-o", output + ".tmp"});
      if (clang) {
        // Templates instantiated once, here.
        command.insert(command.begin() + 1, "-fpch-instantiate-templates");
      }
      Command run{command, one->source.directory, folder + "/log", "", options_.compile_timeout, 0};
      if (run_all({run}, 1)[0].ok()) {
        fs::rename(output + ".tmp", output, error);
      } else {
        fs::remove(output + ".tmp", error);
        std::cerr << "note: it cannot be precompiled (" << first_error(folder + "/log")
                  << "); going on without, slower\n";
      }
    }
    if (lock >= 0) {
      close(lock);
    }
    one->pch = fs::exists(output) ? header : "";
    pch_headers_[key] = one->pch;
  }
}

std::vector<std::string> Builder::user_headers(const SourceFile &source) {
  std::vector<std::string> command = command_start(compiler_, source.flags);
  const std::string output =
      sources_ + "/" + hash({source.path, std::to_string(getpid())}) + ".deps";
  command.insert(command.end(), {"-MM", "-MF", output, source.path});
  const Exit exit = run_all(
      {{command, source.directory, output + ".log", "", options_.compile_timeout, 0}}, 1)[0];
  std::vector<std::string> result;
  if (exit.ok()) {
    for (const std::string &file : dependencies(output)) {
      result.push_back((fs::path(source.directory) / file).lexically_normal());
    }
  }
  std::error_code error;
  fs::remove(output, error);
  fs::remove(output + ".log", error);
  return result;
}

bool Builder::fresh(Compilation &compilation) const {
  std::ifstream manifest(compilation.manifest);
  const nlohmann::json known = nlohmann::json::parse(manifest, nullptr, false);
  if (known.is_discarded() || !known.is_object()) {
    return false;
  }
  try {
    for (const auto &[file, digest] : known.at("files").items()) {
      if (!fs::exists(file) || hash({read_file(file)}) != digest.get<std::string>()) {
        return false;
      }
    }
    const std::string object = known.at("object");
    if (!fs::exists(object)) {
      return false;
    }
    compilation.object = object;
    return true;
  } catch (const std::exception &) {
    return false;
  }
}

void Builder::remember(const Compilation &compilation) const {
  nlohmann::json files = nlohmann::json::object();
  for (const std::string &file : dependencies(compilation.object + ".d")) {
    const std::string path =
        (fs::path(compilation.source.directory) / file).lexically_normal().string();
    if (!starts_with(path, pch_ + "/") && fs::exists(path)) {
      files[path] = hash({read_file(path)});
    }
  }
  write_atomically(compilation.manifest,
                   nlohmann::json{{"object", compilation.object}, {"files", files}}.dump());
}

std::vector<std::string> Builder::link_flags(const Program &program) const {
  // A class or function of the program comes before one of that name in a library, as it does in an
  // executable: LibTorch brings libraries along that export names as plain as Stream.
  std::vector<std::string> flags = {"-Wl,-z,defs", "-Wl,-Bsymbolic-functions", runtime_library_};
  for (const std::string &flag : program.sources.front().flags) {
    if (starts_with(flag, "-l") || starts_with(flag, "-L") || starts_with(flag, "-Wl,") ||
        starts_with(flag, "-fsanitize")) {
      flags.push_back(flag); // given after --, for what else the program needs
    }
  }
  for (const std::string &folder : split(config::torch_libraries, ';')) {
    for (const char *const name : {"libtorch_cpu.so", "libc10.so"}) {
      if (fs::exists(folder + "/" + name)) {
        flags.push_back(folder + "/" + name);
      }
    }
    // What LibTorch's libraries need in turn.
    flags.push_back("-Wl,-rpath-link," + folder);
  }
  flags.emplace_back("-Wl,--allow-shlib-undefined");
  return flags;
}

void Builder::build(std::vector<Variant> &variants) {
  std::map<std::string, Compilation> compilations; // by manifest
  std::vector<std::vector<std::string>> parts_of(variants.size());
  for (size_t v = 0; v < variants.size(); ++v) {
    Variant &variant = variants[v];
    try {
      std::map<std::string, std::string> moved;
      std::string root;
      if (!variant.changed.empty()) {
        materialize(variant, moved, root);
      }
      for (const SourceFile &source : variant.program->sources) {
        Compilation one;
        one.source = source;
        const auto at = moved.find(source.path);
        one.file = at != moved.end() ? at->second : source.path;
        // For #include "..." beside the user's file, and for the user's -I folders in the tree.
        if (at != moved.end()) {
          one.overlay = {"-iquote", fs::path(source.path).parent_path()};
        }
        if (!moved.empty()) {
          const std::string tree =
              fs::path(moved.begin()->second)
                  .string()
                  .substr(
                      0,
                      moved.begin()->second.size() -
                          fs::path(moved.begin()->first).lexically_relative(root).string().size());
          for (size_t i = 0; i + 1 < source.flags.size(); ++i) {
            const std::string &folder = source.flags[i + 1];
            if (is_include_flag(source.flags[i]) &&
                (folder == root || starts_with(folder, root == "/" ? root : root + "/"))) {
              one.overlay.push_back("-I");
              one.overlay.push_back(
                  (fs::path(tree) / fs::path(folder).lexically_relative(root)).lexically_normal());
            }
          }
        }
        std::vector<std::string> key = command_start(compiler_, source.flags);
        key.insert(key.end(), one.overlay.begin(), one.overlay.end());
        key.insert(key.end(), {source.directory, one.file, compiler_identity_, identity_,
                               read_file(one.file)});
        one.manifest = objects_ + "/" + hash(key) + ".json";
        parts_of[v].push_back(one.manifest);
        compilations.emplace(one.manifest, std::move(one));
      }
    } catch (const UserError &error) {
      variant.failure = error.what();
    }
  }

  std::vector<Compilation *> stale;
  for (auto &[manifest, one] : compilations) {
    if (!fresh(one)) {
      // A fresh name per content of headers is not known yet: named for this process, then kept.
      one.object = manifest.substr(0, manifest.size() - 5) + "." + std::to_string(getpid()) + ".o";
      stale.push_back(&one);
    }
  }
  precompile(stale);
  if (!stale.empty()) {
    const size_t cached = compilations.size() - stale.size();
    std::cerr << "compiling " << stale.size() << (stale.size() == 1 ? " source" : " sources")
              << (cached > 0 ? " (" + std::to_string(cached) + " more cached)" : "") << " ..."
              << std::endl;
  }
  // Second attempt without the precompiled header: a source may rely on what comes before torch.h.
  for (const bool with_pch : {true, false}) {
    std::vector<Command> commands;
    std::vector<Compilation *> pending;
    for (Compilation *const one : stale) {
      if (with_pch ? one->pch.empty() : (one->failure.empty() && !one->pch.empty())) {
        continue;
      }
      std::vector<std::string> command = command_start(compiler_, one->source.flags);
      command.insert(command.begin() + 1, one->overlay.begin(), one->overlay.end());
      if (with_pch) {
        command.insert(command.end(), {"-include", one->pch});
      }
      command.insert(command.end(), {"-x", "c++", "-MMD", "-MF", one->object + ".d", "-c",
                                     one->file, "-o", one->object});
      if (options_.verbose) {
        for (const std::string &word : command) {
          std::cerr << word << " ";
        }
        std::cerr << "\n";
      }
      commands.push_back(
          {command, one->source.directory, one->object + ".log", "", options_.compile_timeout, 0});
      pending.push_back(one);
    }
    const std::vector<Exit> exits = run_all(commands, options_.jobs);
    for (size_t i = 0; i < pending.size(); ++i) {
      pending[i]->failure.clear();
      if (exits[i].ok()) {
        remember(*pending[i]);
      } else {
        pending[i]->failure = exits[i].status == 1
                                  ? "it does not compile: " + first_error(commands[i].output)
                                  : "its compiler " + told(exits[i], commands[i]);
      }
      std::error_code error;
      fs::remove(commands[i].output, error);
      fs::remove(pending[i]->object + ".d", error);
    }
  }

  std::vector<Command> links;
  std::map<std::string, std::vector<size_t>> linked; // library -> variants
  std::vector<std::string> order;
  for (size_t v = 0; v < variants.size(); ++v) {
    Variant &variant = variants[v];
    std::vector<std::string> objects;
    std::vector<std::string> key = {compiler_identity_, identity_};
    for (const std::string &manifest : parts_of[v]) {
      const Compilation &one = compilations.at(manifest);
      if (!one.failure.empty()) {
        variant.failure = one.failure;
      }
      objects.push_back(one.object);
      if (one.failure.empty()) {
        key.push_back(hash({read_file(one.object)}));
      }
    }
    if (!variant.failure.empty()) {
      continue;
    }
    const std::vector<std::string> libraries = link_flags(*variant.program);
    key.insert(key.end(), libraries.begin(), libraries.end());
    const std::string library = programs_ + "/" + hash(key) + ".so";
    if (linked[library].empty() && !fs::exists(library)) {
      std::vector<std::string> command = {compiler_, "-shared", "-o",
                                          library + "." + std::to_string(getpid())};
      command.insert(command.end(), objects.begin(), objects.end());
      command.insert(command.end(), libraries.begin(), libraries.end());
      links.push_back({command, "", library + ".log", "", options_.compile_timeout, 0});
      order.push_back(library);
    }
    linked[library].push_back(v);
  }
  const std::vector<Exit> exits = run_all(links, options_.jobs);
  std::map<std::string, std::string> failures;
  for (size_t i = 0; i < links.size(); ++i) {
    std::error_code error;
    const std::string temporary = order[i] + "." + std::to_string(getpid());
    if (exits[i].ok()) {
      fs::rename(temporary, order[i], error);
    } else {
      failures[order[i]] = "it does not link: " + first_error(links[i].output);
      fs::remove(temporary, error);
    }
    fs::remove(links[i].output, error);
  }
  for (const auto &[library, users] : linked) {
    for (const size_t v : users) {
      const auto failed = failures.find(library);
      (failed == failures.end() ? variants[v].library : variants[v].failure) =
          failed == failures.end() ? library : failed->second;
    }
  }
}

std::string Builder::source_line(const std::string &library, uint64_t address) const {
  char hex[32];
  std::snprintf(hex, sizeof hex, "0x%llx", static_cast<unsigned long long>(address));
  const std::string text = capture({"addr2line", "-e", library, hex});
  std::string line = text.substr(0, text.find('\n'));
  line = line.substr(0, line.find(" (")); // " (discriminator 2)"
  // In a variant's tree the file's place is below its hash.
  if (starts_with(line, sources_ + "/")) {
    line = line.substr(line.find('/', sources_.size() + 1) + 1);
  }
  return line.find("??") != std::string::npos || line.empty() || line.find(":0") == line.size() - 2
             ? ""
             : line;
}

} // namespace torch_tidy::confirm
