#include "observation.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>

namespace torch_tidy::confirm {
namespace {

using nlohmann::json;

double number(const json &value) {
  if (value.is_number()) {
    return value.get<double>();
  }
  const auto word = value.get<std::string>();
  if (word == "nan") {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return word == "-inf" ? -std::numeric_limits<double>::infinity()
                        : std::numeric_limits<double>::infinity();
}

std::vector<FrameObservation> frames(const json &list) {
  std::vector<FrameObservation> result;
  for (const json &one : list) {
    result.push_back({one.at("symbol").get<std::string>(), one.at("address").get<uint64_t>()});
  }
  return result;
}

std::vector<double> values(const json &where, int64_t base, std::ifstream &file) {
  std::vector<double> result(where.at("count").get<size_t>());
  const auto at = base + where.at("at").get<int64_t>();
  file.seekg(static_cast<std::streamoff>(at * static_cast<int64_t>(sizeof(double))));
  file.read(reinterpret_cast<char *>(result.data()),
            static_cast<std::streamsize>(result.size() * sizeof(double)));
  if (!file) {
    throw std::runtime_error("the values file is too short");
  }
  return result;
}

GradientObservation gradient(const json &one, int64_t base, std::ifstream &file) {
  GradientObservation result;
  result.name = one.at("name");
  result.round = one.at("round");
  result.numel = one.at("numel");
  result.requires_grad = one.at("requires_grad");
  result.defined = one.at("defined");
  result.reached = one.at("reached");
  if (result.defined) {
    result.zeros = one.at("zeros");
    result.non_finite = one.at("non_finite");
    result.fp16_subnormal = one.at("fp16_subnormal");
    result.norm = number(one.at("norm"));
    result.max_abs = number(one.at("max_abs"));
    result.values = values(one.at("gradient"), base, file);
  }
  return result;
}

StepObservation step(const json &one, int64_t base, std::ifstream &file) {
  StepObservation result;
  result.training = one.at("training");
  result.index = one.at("index");
  result.cut_short = one.value("cut_short", false);
  for (const json &loss : one.at("losses")) {
    result.losses.push_back(number(loss));
  }
  for (const json &round : one.at("rounds")) {
    result.rounds.push_back({round.at("scale").get<double>(), round.at("skipped").get<bool>(),
                             round.at("backwards").get<int64_t>(),
                             round.at("foreign_tensors").get<int64_t>()});
  }
  for (const json &parameter : one.at("parameters")) {
    result.gradients.push_back(gradient(parameter, base, file));
  }
  one.at("leftover").get_to(result.leftover);
  one.at("outdated").get_to(result.outdated);
  one.at("foreign_leaves").get_to(result.foreign_leaves);
  one.at("unowned").get_to(result.unowned);
  one.at("stepped").get_to(result.stepped);
  one.at("strays").get_to(result.strays);
  return result;
}

void read_end(const json &event, std::ifstream &file, ModelObservation &model) {
  const auto base = event.at("values_at").get<int64_t>();
  for (const json &one : event.at("steps")) {
    model.steps.push_back(step(one, base, file));
  }
  for (const json &one : event.value("derivatives", json::array())) {
    model.derivatives.push_back({one.at("name"), one.at("defined"), one.at("gradient_norm"),
                                 one.at("analytic"), one.at("numeric"), one.at("uncertainty")});
  }
  model.status = ModelObservation::Status::finished;
  if (event.at("status") == "threw") {
    model.status = ModelObservation::Status::threw;
    const json &exception = event.at("exception");
    ExceptionObservation &result = model.exception.emplace();
    result.type = exception.at("type");
    result.message = exception.at("message");
    result.phase = exception.at("phase");
    result.step = exception.at("step");
    result.frames = frames(exception.at("frames"));
    if (exception.contains("anomaly") && exception["anomaly"].is_object()) {
      result.node = exception["anomaly"].at("node");
      result.forward_frames = frames(exception["anomaly"].at("frames"));
    }
  }
}

} // namespace

const ModelObservation *RunObservation::find(const std::string &model) const {
  for (const ModelObservation &one : models) {
    if (one.model == model) {
      return &one;
    }
  }
  return nullptr;
}

RunObservation read_record(const std::string &path, const std::string &lost_reason) {
  RunObservation run;
  std::ifstream lines(path);
  std::ifstream file(path + ".values", std::ios::binary);
  std::string line;
  bool headed = false;
  try {
    while (std::getline(lines, line)) {
      const json event = json::parse(line, nullptr, false);
      if (event.is_discarded()) {
        break; // cut off in the middle: what came before counts
      }
      const auto kind = event.at("event").get<std::string>();
      if (kind == "run") {
        headed = true;
        run.libtorch = event.at("libtorch");
        run.device = event.at("device");
        run.precision = event.at("precision");
        run.unavailable = event.at("unavailable");
        event.at("models").get_to(run.names);
        if (!run.unavailable.empty()) {
          return run;
        }
        for (const std::string &name : run.names) {
          run.models.emplace_back().model = name;
          run.models.back().lost_reason = "not run: " + lost_reason;
        }
      } else {
        const auto name = event.at("model").get<std::string>();
        for (ModelObservation &model : run.models) {
          if (model.model != name) {
            continue;
          }
          if (kind == "begin") {
            model.lost_reason = lost_reason;
          } else {
            read_end(event, file, model);
          }
        }
      }
    }
  } catch (const std::exception &error) {
    run.failure = std::string("the record of the run is damaged: ") + error.what();
    return run;
  }
  if (!headed) {
    run.failure = lost_reason.empty() ? "the run wrote no record" : lost_reason;
  } else if (run.models.empty()) {
    run.failure = "the program registers no model (see TORCH_TIDY_MODEL in torch_tidy/confirm.h)";
  }
  return run;
}

} // namespace torch_tidy::confirm
