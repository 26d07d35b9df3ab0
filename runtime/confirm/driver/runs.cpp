#include "runs.h"

#include "files.h"
#include "process.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;
namespace {

// The file that holds what a run did; whole once it is there.
std::string record_of(const RunRequest &request, const std::string &device, const Builder &builder,
                      const Options &options) {
  return builder.runs() + "/" +
         hash({request.library, builder.identity(), request.precision, device,
               fs::exists("/dev/nvidiactl") ? "gpu" : "", std::to_string(options.seed),
               std::to_string(options.steps), std::to_string(request.repetition),
               request.derivatives ? "derivatives" : ""}) +
         ".jsonl";
}

Command command_for(const RunRequest &request, const std::string &model, const std::string &record,
                    const std::string &device, const Builder &builder, const Options &options) {
  Command command;
  command.arguments = {builder.runner(), request.library,
                       "--record",       record,
                       "--precision",    request.precision,
                       "--seed",         std::to_string(options.seed),
                       "--steps",        std::to_string(options.steps),
                       "--device",       device};
  if (request.derivatives) {
    command.arguments.emplace_back("--derivatives");
  }
  if (!model.empty()) {
    command.arguments.insert(command.arguments.end(), {"--model", model});
  }
  command.output = record + ".log";
  command.timeout = std::chrono::seconds(options.timeout);
  command.memory = options.memory << 20;
  return command;
}

void remove_record(const std::string &record) {
  std::error_code error;
  for (const char *const suffix : {"", ".values", ".log"}) {
    fs::remove(record + suffix, error);
  }
}

} // namespace

std::vector<RunObservation> run_programs(const std::vector<RunRequest> &requests,
                                         const std::string &device, const Builder &builder,
                                         const Options &options) {
  std::vector<RunObservation> results(requests.size());
  std::vector<Command> commands;
  std::vector<size_t> pending;
  std::vector<std::string> temporary;
  for (size_t i = 0; i < requests.size(); ++i) {
    const std::string record = record_of(requests[i], device, builder, options);
    if (!options.fresh && fs::exists(record)) {
      results[i] = read_record(record, "");
      if (results[i].failure.empty()) {
        continue;
      }
    }
    temporary.push_back(record + "." + std::to_string(getpid()) + "." + std::to_string(i));
    commands.push_back(command_for(requests[i], "", temporary.back(), device, builder, options));
    pending.push_back(i);
  }
  const std::vector<Exit> exits = run_all(commands, options.jobs);
  // A model that crashed or hung took those behind it along: they run once more, each alone.
  std::vector<Command> again;
  std::vector<std::pair<size_t, std::string>> again_for;
  for (size_t p = 0; p < pending.size(); ++p) {
    RunObservation &result = results[pending[p]];
    std::string why = exits[p].ok() ? "" : told(exits[p], commands[p]);
    if (!exits[p].ok() && exits[p].status > 0) {
      std::ifstream log(commands[p].output);
      std::string line;
      if (std::getline(log, line) && !line.empty()) {
        why += " (" + line + ")";
      }
    }
    result = read_record(temporary[p], why);
    const RunRequest &request = requests[pending[p]];
    if (exits[p].ok()) {
      const std::string record = record_of(request, device, builder, options);
      std::error_code error;
      // The values first: a record that is there is whole.
      fs::rename(temporary[p] + ".values", record + ".values", error);
      fs::rename(temporary[p], record, error);
    } else {
      for (const ModelObservation &model : result.models) {
        if (model.status == ModelObservation::Status::lost &&
            model.lost_reason.rfind("not run: ", 0) == 0) {
          again.push_back(command_for(request, model.model, temporary[p] + "." + model.model,
                                      device, builder, options));
          again_for.emplace_back(pending[p], model.model);
        }
      }
    }
    remove_record(temporary[p]);
  }
  const std::vector<Exit> second = run_all(again, options.jobs);
  for (size_t a = 0; a < again.size(); ++a) {
    const std::string &record = again[a].arguments[3];
    RunObservation alone = read_record(record, second[a].ok() ? "" : told(second[a], again[a]));
    for (ModelObservation &model : results[again_for[a].first].models) {
      if (model.model == again_for[a].second && !alone.models.empty()) {
        model = std::move(alone.models.front());
      }
    }
    remove_record(record);
  }
  return results;
}

} // namespace torch_tidy::confirm
