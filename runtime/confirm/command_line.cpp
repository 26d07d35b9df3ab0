#include "record.h"

#include <CLI/CLI.hpp>

namespace torch_tidy::detail {

std::optional<int> parse_command_line(int argc, char **argv, RunOptions &options,
                                      std::string &program) {
  CLI::App app(
      "Runs the models registered with TORCH_TIDY_MODEL and tells what their gradients are.");
  const std::map<std::string, Precision> precisions = {{"fp32", Precision::fp32},
                                                       {"bf16", Precision::bf16},
                                                       {"fp16", Precision::fp16},
                                                       {"fp16-noscale", Precision::fp16_noscale}};
  app.add_option("program", program,
                 "shared library with registered models (default: those of this program)")
      ->check(CLI::ExistingFile);
  app.add_flag("--list", options.list, "print the names of the models and where they are");
  app.add_option("--model", options.model, "run this one alone");
  app.add_option("--precision", options.precision,
                 "fp32, bf16 (autocast), fp16 (autocast, scaled gradients) or fp16-noscale")
      ->transform(CLI::CheckedTransformer(precisions));
  app.add_option("--device", options.device, "auto, cpu, cuda or cuda:N");
  app.add_option("--seed", options.seed, "seed of LibTorch's and C's random numbers");
  app.add_option("--steps", options.max_steps, "cut each training to so many steps")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-values", options.max_values,
                 "numbers to record at most; larger gradients are sampled")
      ->check(CLI::PositiveNumber);
  app.add_flag("--derivatives", options.derivatives,
               "also compare the gradients of the first backward with the loss's derivatives");
  app.add_option("--record", options.record, "write what is observed to this file");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

} // namespace torch_tidy::detail
