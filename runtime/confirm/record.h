// What one run of the registered models observes, and where it is written.
//
// The record is a file of JSON lines (one per event: "begin" and "end" of each model), so that a
// crash loses only the model that crashed, and beside it FILE.values, the gradients as raw doubles:
// a JSON object {"at": first, "count": n, "stride": s} names values [at, at + n) of that file,
// which are every s-th element of the tensor.
#pragma once

#include <torch_tidy/confirm.h>

#include <nlohmann/json.hpp>

#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace torch_tidy::detail {

enum class Precision { fp32, bf16, fp16, fp16_noscale };

struct RunOptions {
  std::string record; ///< file to write; empty: print tables for people
  std::string model;  ///< run this one alone; empty: all
  Precision precision = Precision::fp32;
  std::string device = "auto"; ///< auto, cpu, cuda or cuda:N
  uint64_t seed = 1;
  int64_t max_steps = 0;        ///< cut trainings to so many steps; 0: as the program says
  int64_t max_values = 1 << 24; ///< doubles to write; beyond that tensors are sampled
  bool derivatives = false;     ///< also measure_derivatives() of what finished
  bool list = false;
};

/// Parses the command line of `torch-tidy-run`. Returns an exit status when there is nothing to run
/// (--help, --version, or an error, which it has printed).
std::optional<int> parse_command_line(int argc, char **argv, RunOptions &options,
                                      std::string &program);

struct RegisteredModel {
  std::string name;
  std::string file;
  int line;
  ModelFunction function;
};

/// Functions registered so far, in order of registration.
const std::vector<RegisteredModel> &registered_models();

int run_models(const RunOptions &options);

/// Puts thread state and random numbers where every run of a model begins.
void begin_model(const RunOptions &options);

/// Holds the first backward's gradients against the derivatives of the first loss, parameter by
/// parameter, by running the model again with that parameter moved a little to either side. See
/// Note [Derivatives] in derivatives.cpp. An array for the "end" line; empty where nothing can be
/// said.
nlohmann::json measure_derivatives(const RegisteredModel &model, const RunOptions &options,
                                   const torch::Device &device);

/// What a replay of a model is to do at its first step; each may end it by throwing EndOfReplay.
struct Replay {
  std::function<void(torch::nn::Module &)> before_step;
  std::function<void(double)> loss;
  std::function<void(torch::nn::Module &)> after_backward;
};
/// No std::exception, so that a program's own handlers let it pass.
struct EndOfReplay {};

/// Observes one model's trainings. At most one is current per process.
class Recorder {
public:
  Recorder(const RunOptions &options, torch::Device device, const Replay *replay = nullptr);
  ~Recorder();
  static Recorder *current();

  // Called by the training loop, in this order.
  void begin_training(torch::nn::Module &module);
  void begin_step(int64_t index);
  void before_backward(const torch::Tensor &loss, double scale);
  void after_backward();
  void before_update(torch::optim::Optimizer &optimizer, double scale, bool skip);
  void after_update(torch::optim::Optimizer &optimizer, bool stepped);
  void end_step();

  void set_phase(const char *phase) { phase_ = phase; }
  const char *phase() const { return phase_; }
  int64_t step() const { return step_index_; }
  bool last_step_skipped() const { return skipped_; }
  /// Everything observed, as the "end" line wants it; `values` gets what must go to FILE.values.
  nlohmann::json take(std::vector<double> &values);

  const RunOptions &options() const { return options_; }
  torch::Device device() const { return device_; }

private:
  void capture(const std::vector<std::pair<std::string, torch::Tensor>> &parameters, int64_t round,
               double scale);
  nlohmann::json dump(const torch::Tensor &tensor);
  std::vector<std::pair<std::string, torch::Tensor>> parameters() const;

  RunOptions options_;
  torch::Device device_;
  const Replay *replay_;
  Recorder *previous_;
  const char *phase_ = "construct";
  torch::nn::Module *module_ = nullptr;
  int64_t training_ = -1;
  int64_t step_index_ = -1;
  bool in_step_ = false;
  bool skipped_ = false;
  bool consumed_in_step_ = false;
  double scale_ = 1.0;
  int64_t backwards_in_round_ = 0;
  std::map<std::string, int64_t> captured_; ///< parameter -> rounds captured in this step
  std::set<std::string> reached_;           ///< by this step's backwards
  std::set<std::string> owned_;             ///< by an optimizer that consumed in this step
  /// Tensor -> autograd's sequence number when an optimizer last wrote it: what was recorded before
  /// used older values. Keys are only compared, never followed.
  std::unordered_map<const void *, uint64_t> updated_at_;
  /// Parameters whose gradient an optimizer consumed, and that no backward has added to since.
  std::set<std::string> consumed_;
  /// Leaves that are no parameters, from earlier steps' backwards. Held, so that an address is one
  /// tensor's.
  std::vector<torch::Tensor> strangers_;
  nlohmann::json step_;
  nlohmann::json steps_ = nlohmann::json::array();
  std::vector<double> values_;
};

} // namespace torch_tidy::detail
