#include "record.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/anomaly_mode.h>
#include <torch/version.h>

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <regex>

namespace torch_tidy {
namespace detail {
namespace {

std::vector<RegisteredModel> &mutable_models() {
  static std::vector<RegisteredModel> models;
  return models;
}

const char *precision_word(Precision precision) {
  switch (precision) {
  case Precision::fp32:
    return "fp32";
  case Precision::bf16:
    return "bf16";
  case Precision::fp16:
    return "fp16";
  case Precision::fp16_noscale:
    return "fp16-noscale";
  }
  return "";
}

torch::Device choose_device(const std::string &name) {
  if (name == "auto") {
    return torch::Device(torch::cuda::is_available() ? torch::kCUDA : torch::kCPU);
  }
  const torch::Device device(name);
  TORCH_CHECK(!device.is_cuda() || torch::cuda::is_available(), "there is no CUDA device");
  return device;
}

// Why `precision` cannot be run on `device`; empty where it can.
std::string unavailable(Precision precision, const torch::Device &device) {
  if (precision == Precision::fp32) {
    return "";
  }
  const at::ScalarType dtype = precision == Precision::bf16 ? at::kBFloat16 : at::kHalf;
  if (Autocast::is_available(device.type(), dtype)) {
    return "";
  }
  return std::string("LibTorch ") + TORCH_VERSION + " has no autocast to " + c10::toString(dtype) +
         " on the " + (device.is_cpu() ? "CPU" : c10::DeviceTypeName(device.type()));
}

// Frames of a backtrace of LibTorch's ("frame #3: Net::forward() + 0x33 (0x7f00 in ./program.so)")
// that lie in the program, as addresses relative to its file: what addr2line takes.
nlohmann::json program_frames(const std::string &text, const void *program_base) {
  static const std::regex line(R"(frame #\d+: (.*) \+ 0x[0-9a-f]+ \((0x[0-9a-f]+) in )");
  nlohmann::json frames = nlohmann::json::array();
  for (auto it = std::sregex_iterator(text.begin(), text.end(), line); it != std::sregex_iterator();
       ++it) {
    const auto address = static_cast<uintptr_t>(std::stoull((*it)[2].str(), nullptr, 16));
    Dl_info where{};
    if (dladdr(reinterpret_cast<void *>(address), &where) == 0 || where.dli_fbase != program_base) {
      continue;
    }
    // The address is that of the return: the call ends one byte before.
    frames.push_back({{"symbol", (*it)[1].str()},
                      {"address", address - reinterpret_cast<uintptr_t>(program_base) - 1}});
  }
  return frames;
}

class CollectWarnings : public c10::WarningHandler {
public:
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning &warning) override { text += warning.msg() + "\n"; }
#else
  void process(const c10::SourceLocation &, const std::string &message, const bool) override {
    text += message + "\n";
  }
#endif
  std::string text;
};

#if TORCH_VERSION_MAJOR >= 2
namespace warnings = c10::WarningUtils;
#else
namespace warnings = c10::Warning;
#endif

std::string readable_type(const std::exception &error) {
  int status = 0;
  char *const name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
  std::string result = status == 0 ? name : typeid(error).name();
  std::free(name);
  return result;
}

void seed_all(uint64_t seed) {
  torch::manual_seed(seed); // CPU and every CUDA device
  std::srand(static_cast<unsigned>(seed));
}

// Thread state that a model might leave changed must not reach the next.
void reset_thread_state() {
  torch::GradMode::set_enabled(true);
  clear_taps();
}

} // namespace

void begin_model(const RunOptions &options) {
  reset_thread_state();
  seed_all(options.seed);
}

namespace {

// Runs the model once more with anomaly mode on, and tells which operation of the forward backward
// failed in, and where it was called.
nlohmann::json replay_with_anomaly_mode(const RegisteredModel &model, const RunOptions &options,
                                        const torch::Device &device, const void *program_base) {
  CollectWarnings collected;
  {
    const warnings::WarningHandlerGuard handler(&collected);
    const torch::autograd::DetectAnomalyGuard anomaly(/*check_nan=*/false);
    Recorder discarded(options, device);
    begin_model(options);
    try {
      model.function();
    } catch (...) {
      // The same exception as before; what counts is the warning that came first.
    }
  }
  static const std::regex detected(R"(Error detected in (\w+)\.)");
  std::smatch match;
  if (!std::regex_search(collected.text, match, detected)) {
    return nullptr;
  }
  return {{"node", match[1].str()}, {"frames", program_frames(collected.text, program_base)}};
}

nlohmann::json run_model(const RegisteredModel &model, const RunOptions &options,
                         const torch::Device &device, std::vector<double> &values) {
  Dl_info program{};
  dladdr(reinterpret_cast<void *>(model.function), &program);
  nlohmann::json end = {{"event", "end"}, {"model", model.name}, {"status", "finished"}};
  nlohmann::json exception;
  Recorder recorder(options, device);
  begin_model(options);
  const auto failed = [&](const std::string &type, const std::string &message,
                          const std::string &full) {
    exception = {{"type", type},
                 {"message", message},
                 {"phase", recorder.phase()},
                 {"step", recorder.step()},
                 {"frames", program_frames(full, program.dli_fbase)}};
  };
  try {
    model.function();
  } catch (const c10::Error &error) {
    // LibTorch's hint to switch anomaly mode on is followed below.
    std::string message = error.what_without_backtrace();
    message.erase(std::min(message.find(" Hint: "), message.size()));
    failed(readable_type(error), message, error.what());
  } catch (const std::exception &error) {
    failed(readable_type(error), error.what(), error.what());
  } catch (...) {
    failed("unknown", "an exception that is no std::exception", "");
  }
  end.update(recorder.take(values));
  if (!exception.is_null()) {
    end["status"] = "threw";
    if (exception["phase"] == "backward") {
      exception["anomaly"] = replay_with_anomaly_mode(model, options, device, program.dli_fbase);
    }
    end["exception"] = std::move(exception);
  }
  nlohmann::json tapped = nlohmann::json::array();
  if (end["status"] == "finished") {
    for (const Tap &one : taps()) {
      tapped.push_back({{"name", one.gradient.name},
                        {"requires_grad", one.gradient.requires_grad},
                        {"defined", one.gradient.defined},
                        {"zeros", one.gradient.zeros},
                        {"numel", one.gradient.numel},
                        {"norm", std::isfinite(one.gradient.norm) ? one.gradient.norm : -1.0}});
    }
  }
  end["taps"] = std::move(tapped);
  if (options.derivatives && end["status"] == "finished") {
    end["derivatives"] = measure_derivatives(model, options, device);
  }
  reset_thread_state();
  return end;
}

// For people: what the last step of each training looked like.
void print_for_people(const nlohmann::json &end) {
  std::cout << "model " << end["model"].get<std::string>() << ": ";
  if (end["status"] == "threw") {
    const nlohmann::json &exception = end["exception"];
    std::cout << "throws in " << exception["phase"].get<std::string>() << " of step "
              << exception["step"].get<int64_t>() << ": " << exception["message"].get<std::string>()
              << "\n";
    return;
  }
  std::cout << end["steps"].size() << " steps";
  std::vector<GradientStatistics> statistics;
  if (!end["steps"].empty()) {
    std::cout << ", loss " << end["steps"].front()["losses"].dump() << " -> "
              << end["steps"].back()["losses"].dump();
    for (const nlohmann::json &one : end["steps"].back()["parameters"]) {
      GradientStatistics row;
      row.name = one["name"];
      row.numel = one["numel"];
      row.requires_grad = one["requires_grad"];
      row.defined = one["defined"];
      if (row.defined) {
        row.zeros = one["zeros"];
        row.non_finite = one["non_finite"];
        row.fp16_subnormal = one["fp16_subnormal"];
        row.norm = one["norm"].is_number() ? one["norm"].get<double>() : INFINITY;
        row.max_abs = one["max_abs"].is_number() ? one["max_abs"].get<double>() : INFINITY;
      }
      statistics.push_back(std::move(row));
    }
  }
  std::cout << "\n";
  print(std::cout, statistics);
}

} // namespace

bool register_model(const char *name, const char *file, int line, ModelFunction function) {
  mutable_models().push_back({name, file, line, function});
  return true;
}

const std::vector<RegisteredModel> &registered_models() { return mutable_models(); }

int run_models(const RunOptions &options) {
  std::vector<const RegisteredModel *> chosen;
  for (const RegisteredModel &model : registered_models()) {
    if (options.model.empty() || model.name == options.model) {
      chosen.push_back(&model);
    }
  }
  if (options.list) {
    for (const RegisteredModel *const model : chosen) {
      std::cout << model->name << "\t" << model->file << ":" << model->line << "\n";
    }
    return 0;
  }
  if (!options.model.empty() && chosen.empty()) {
    std::cerr << "error: no model named '" << options.model
              << "' is registered; --list names those that are\n";
    return 2;
  }
  torch::Device device(torch::kCPU);
  try {
    device = choose_device(options.device);
  } catch (const c10::Error &error) {
    std::cerr << "error: --device " << options.device << ": " << error.what_without_backtrace()
              << "\n";
    return 2;
  }
  // One thread: sums come out in the same order every time, hence the same to the last bit.
  at::set_num_threads(1);
  std::ofstream lines;
  std::ofstream values;
  if (!options.record.empty()) {
    lines.open(options.record, std::ios::trunc);
    values.open(options.record + ".values", std::ios::trunc | std::ios::binary);
    if (!lines || !values) {
      std::cerr << "error: cannot write " << options.record << ": " << std::strerror(errno) << "\n";
      return 2;
    }
    std::vector<std::string> names;
    for (const RegisteredModel *const model : chosen) {
      names.push_back(model->name);
    }
    lines << nlohmann::json{{"event", "run"},
                            {"libtorch", TORCH_VERSION},
                            {"device", device.str()},
                            {"precision", precision_word(options.precision)},
                            {"unavailable", unavailable(options.precision, device)},
                            {"models", names}}
                 .dump()
          << std::endl;
  }
  const std::string why_not = unavailable(options.precision, device);
  if (!why_not.empty()) {
    if (options.record.empty()) {
      std::cerr << "error: " << why_not << "\n";
      return 2;
    }
    return 0;
  }
  bool threw = false;
  int64_t written = 0;
  for (const RegisteredModel *const model : chosen) {
    if (lines.is_open()) {
      lines << nlohmann::json{{"event", "begin"}, {"model", model->name}}.dump() << std::endl;
    }
    std::vector<double> dumped;
    nlohmann::json end = run_model(*model, options, device, dumped);
    threw = threw || end["status"] == "threw";
    if (!lines.is_open()) {
      print_for_people(end);
      continue;
    }
    end["values_at"] = written;
    values.write(reinterpret_cast<const char *>(dumped.data()),
                 static_cast<std::streamsize>(dumped.size() * sizeof(double)));
    values.flush();
    written += static_cast<int64_t>(dumped.size());
    // Messages may hold any bytes.
    lines << end.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }
  if (lines.is_open() && (!lines || !values)) {
    std::cerr << "error: cannot write " << options.record << " (disk full?)\n";
    return 2;
  }
  return threw && options.record.empty() ? 1 : 0;
}

} // namespace detail

int run_registered_models(int argc, char **argv) {
  detail::RunOptions options;
  std::string program;
  if (const std::optional<int> status = detail::parse_command_line(argc, argv, options, program)) {
    return *status;
  }
  if (!program.empty() && dlopen(program.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    std::cerr << "error: cannot load " << program << ": " << dlerror() << "\n";
    return 2;
  }
  return detail::run_models(options);
}

} // namespace torch_tidy
