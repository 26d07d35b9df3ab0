// torch-tidy-confirm: runs the models of a program with each finding's defect alone, and says of
// each finding whether it does what was predicted.
#include "build_config.h"
#include "confirm.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;
namespace {

void check_torch(const std::string &folder) {
  std::error_code error;
  for (const fs::path &place :
       {fs::path(folder), fs::path(folder) / "torch", fs::path(folder) / "libtorch"}) {
    if (fs::equivalent(place, config::torch_root, error)) {
      return;
    }
  }
  throw UserError(
      "--torch " + folder + ": this torch-tidy-confirm was built with LibTorch " +
      config::torch_version + " of " + config::torch_root +
      " and can run programs with no other; build it again with -DTORCH_TIDY_LIBTORCH=" + folder);
}

int run_main(int argc, char **argv) {
  Options options;
  // What comes after -- are compiler flags, as in Clang's tools.
  for (int i = argc - 1; i > 0; --i) {
    if (std::string(argv[i]) == "--") {
      options.extra_arguments.assign(argv + i + 1, argv + argc);
      argc = i;
    }
  }
  CLI::App app("Runs a program's registered models with each finding's defect alone, against the "
               "program with all of them repaired,\nand writes a verdict into the findings file. "
               "Given sources instead, tells how the gradients of their models fare.",
               "torch-tidy-confirm");
  app.set_version_flag("--version", std::string(config::version) + " (LibTorch " +
                                        config::torch_version +
                                        (config::torch_cuda ? ", CUDA)" : ", CPU)"));
  app.add_option("input", options.inputs, "FINDINGS.sarif, or sources with TORCH_TIDY_MODEL")
      ->required();
  app.add_option("--source", options.sources,
                 "the sources of the program (default: from the findings "
                 "file, the compile database, or the finding's file)");
  app.add_option("-p", options.build_folder, "folder with compile_commands.json");
  std::vector<std::string> extra;
  app.add_option("--extra-arg", extra, "a compiler flag more (also: all after --)")
      ->allow_extra_args(false);
  app.add_option("--torch", options.torch, "LibTorch to use (must be the one this was built with)");
  app.add_option("--precision", options.precision,
                 "fp32, bf16, fp16 (scaled), fp16-noscale; default fp32,bf16,fp16")
      ->delimiter(',')
      ->check(CLI::IsMember({"fp32", "bf16", "fp16", "fp16-noscale"}));
  app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N; default auto")
      ->check(CLI::Validator(
          [](std::string &text) {
            return text == "auto" || text == "cpu" || text.rfind("cuda", 0) == 0
                       ? std::string()
                       : "must be auto, cpu, cuda or cuda:N, not " + text;
          },
          ""));
  app.add_option("--timeout", options.timeout, "seconds a run may take; default 60")
      ->check(CLI::PositiveNumber);
  app.add_option("--memory", options.memory, "MiB a run may use; default 8192")
      ->check(CLI::PositiveNumber);
  app.add_option("--jobs,-j", options.jobs, "compilers and runs at a time")
      ->check(CLI::PositiveNumber);
  app.add_option("--output,-o", options.output,
                 "file to write, - for standard output (default: the findings file itself)");
  app.add_option("--steps", options.steps, "training steps to watch at most; default 5")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed, "seed of weights and data; default 1");
  app.add_option("--fail-on", options.fail_on,
                 "exit with 1 for confirmed findings of this level or above")
      ->check(CLI::IsMember(levels()));
  app.add_option("--compiler", options.compiler, "C++ compiler for the variants");
  app.add_option("--cache", options.cache,
                 "folder to keep precompiled headers, objects and runs in");
  app.add_flag("--fresh", options.fresh, "run again what was run before");
  app.add_flag("--verbose,-v", options.verbose, "print the compiler's commands");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.extra_arguments.insert(options.extra_arguments.begin(), extra.begin(), extra.end());
  if (!options.torch.empty()) {
    check_torch(options.torch);
  }
  const bool findings = options.inputs.size() == 1 && [&] {
    const std::string extension = fs::path(options.inputs[0]).extension();
    return extension == ".sarif" || extension == ".json";
  }();
  if (!findings &&
      std::any_of(options.inputs.begin(), options.inputs.end(), [](const std::string &input) {
        return fs::path(input).extension() == ".sarif";
      })) {
    throw UserError("one findings file at a time: give each its own run");
  }
  if (findings) {
    read_findings(options.inputs[0]); // before any work
  }
  // Threads of a child's would only make sums come out in another order.
  setenv("OMP_NUM_THREADS", "1", 1);
  Builder builder(
      {options.compiler, options.cache, options.jobs, std::chrono::seconds(600), options.verbose});
  return findings ? confirm_findings(options.inputs[0], options, builder)
                  : report_health(options, builder);
}

} // namespace
} // namespace torch_tidy::confirm

int main(int argc, char **argv) {
  try {
    return torch_tidy::confirm::run_main(argc, argv);
  } catch (const torch_tidy::confirm::UserError &error) {
    std::cerr << "torch-tidy-confirm: error: " << error.what() << "\n";
  } catch (const std::exception &error) {
    std::cerr << "torch-tidy-confirm: internal error: " << error.what() << "\n";
  }
  return 2;
}
