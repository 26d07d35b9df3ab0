#include "confirm.h"
#include "locate.h"
#include "runs.h"
#include "table.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>

namespace torch_tidy::confirm {
namespace {

std::string cell(const ParameterOutcome &one) {
  std::ostringstream text;
  text << (one.outcome == Outcome::benign ? "ok" : std::string(word(one.outcome)));
  if (one.defined) {
    text << " (" << std::setprecision(3) << one.norm << ")";
  }
  return text.str();
}

// What one model's runs show in each precision.
Verdict health_of(const std::string &name, const Runs &runs,
                  const std::vector<std::string> &precisions) {
  const RunObservation &fp32 = runs.at("fp32");
  Verdict verdict; // collects the modes, for the table and the JSON
  verdict.device = fp32.device;
  verdict.libtorch = fp32.libtorch;
  for (const std::string &precision : precisions) {
    const RunObservation &run = runs.at(precision);
    if (!run.unavailable.empty()) {
      verdict.not_available[precision] = run.unavailable;
      continue;
    }
    verdict.precision.push_back(precision);
    ModeObserved &mode = verdict.modes[precision];
    mode.model = name;
    const ModelObservation *const model = run.find(name);
    if (model == nullptr) {
      mode.observed.reason = run.failure;
    } else {
      mode.observed =
          judge_alone(*model, precision == "fp32" ? nullptr : fp32.find(name), precision);
    }
  }
  return verdict;
}

// A line per parameter, a column per precision.
void add_rows(const std::string &name, const Verdict &verdict,
              const std::vector<std::string> &precisions,
              std::vector<std::vector<std::string>> &rows) {
  std::map<std::string, std::map<std::string, std::string>> cells;
  std::vector<std::string> order;
  for (const std::string &precision : verdict.precision) {
    for (const ParameterOutcome &one : verdict.modes.at(precision).observed.parameters) {
      if (cells.count(one.name) == 0) {
        order.push_back(one.name);
      }
      cells[one.name][precision] = cell(one);
    }
  }
  if (order.empty()) {
    order.emplace_back("-");
  }
  for (const std::string &parameter : order) {
    std::vector<std::string> row = {name, parameter};
    for (const std::string &precision : precisions) {
      const auto mode = verdict.modes.find(precision);
      const auto known = cells[parameter].find(precision);
      row.push_back(known != cells[parameter].end() ? known->second
                    : mode == verdict.modes.end()   ? "n/a"
                    : mode->second.observed.outcome
                        ? std::string(word(*mode->second.observed.outcome))
                        : "?");
    }
    rows.push_back(std::move(row));
  }
}

} // namespace

int report_health(const Options &options, Builder &builder) {
  Programs known(options, builder);
  std::vector<Program> programs;
  std::set<std::vector<std::string>> seen;
  for (const std::string &input : options.inputs) {
    read_file(absolute(input)); // one clear message where there is none
    const std::vector<std::string> sources = known.sources_with(absolute(input));
    if (seen.insert(sources).second) {
      programs.push_back(known.program_of(sources));
    }
  }
  std::vector<Variant> variants;
  for (const Program &program : programs) {
    variants.push_back({&program, {}, "", ""});
  }
  builder.build(variants);
  std::vector<RunRequest> requests;
  for (const Variant &variant : variants) {
    for (const std::string &precision : with_fp32(options.precision)) {
      if (!variant.library.empty()) {
        requests.push_back({variant.library, precision});
      }
    }
  }
  std::vector<RunObservation> results = run_programs(requests, options.device, builder, options);
  std::map<std::string, Runs> runs;
  for (size_t i = 0; i < requests.size(); ++i) {
    runs[requests[i].library][requests[i].precision] = std::move(results[i]);
  }
  bool sick = false;
  bool unable = false;
  nlohmann::ordered_json report = {{"schema", "torch-tidy-health-1"},
                                   {"models", nlohmann::json::array()}};
  std::vector<std::vector<std::string>> rows = {{"model", "parameter"}};
  rows[0].insert(rows[0].end(), options.precision.begin(), options.precision.end());
  std::vector<std::string> remarks;
  for (const Variant &variant : variants) {
    const std::string source = variant.program->sources.front().path;
    const std::string failure =
        !variant.failure.empty() ? variant.failure : runs[variant.library]["fp32"].failure;
    if (!failure.empty()) {
      std::cerr << "error: " << source << ": " << failure << "\n";
      unable = true;
      continue;
    }
    const Runs &mine = runs[variant.library];
    for (const std::string &name : mine.at("fp32").names) {
      Verdict verdict = health_of(name, mine, options.precision);
      for (const std::string &precision : verdict.precision) {
        const Observed &observed = verdict.modes.at(precision).observed;
        if (!observed.outcome || *observed.outcome != Outcome::benign) {
          sick = true;
          remarks.push_back(name + ", " + precision + ": " + observed.reason);
        }
      }
      add_rows(name, verdict, options.precision, rows);
      locate(builder, variant.library, mine, verdict);
      nlohmann::ordered_json one = to_json(verdict);
      one.erase("verdict");
      one.erase("reason");
      nlohmann::ordered_json entry = {{"model", name}, {"source", source}};
      entry.update(one);
      report["models"].push_back(std::move(entry));
    }
  }
  if (rows.size() > 1) {
    std::cerr << table(rows);
  }
  for (const std::string &remark : remarks) {
    std::cerr << remark << "\n";
  }
  if (unable) {
    return 2;
  }
  const std::string text =
      report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (options.output == "-") {
    std::cout << text << std::flush;
  } else if (!options.output.empty()) {
    write_atomically(options.output, text);
  }
  return sick ? 1 : 0;
}

} // namespace torch_tidy::confirm
