// torch-tidy-confirm: runs the models of a program with each finding's defect alone, and says of
// each finding whether it does what was predicted.
#include "build.h"
#include "build_config.h"
#include "findings.h"
#include "verdict.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <optional>
#include <sstream>
#include <thread>

#include <unistd.h>

namespace torch_tidy::confirm {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::string> sources;
  std::string build_folder;
  std::vector<std::string> extra_arguments;
  std::string torch;
  std::vector<std::string> precision = {"fp32", "bf16", "fp16"};
  std::string device = "auto";
  unsigned timeout = 60;
  uint64_t memory = 8192;
  unsigned jobs = std::max(1U, std::thread::hardware_concurrency());
  std::string output;
  int64_t steps = 5;
  uint64_t seed = 1;
  std::string fail_on = "error";
  std::string compiler;
  std::string cache;
  bool fresh = false;
  bool verbose = false;
};

const std::vector<std::string> levels = {"none", "note", "warning", "error"};

// Flags of the sources, and which of them make a program, from compile_commands.json.
class CompileDatabase {
public:
  CompileDatabase() = default;
  explicit CompileDatabase(const std::string &folder) {
    const std::string path = fs::is_directory(folder) ? folder + "/compile_commands.json" : folder;
    nlohmann::json document;
    try {
      document = nlohmann::json::parse(read_file(path));
      for (const nlohmann::json &entry : document) {
        add(entry, fs::absolute(path).parent_path());
      }
    } catch (const nlohmann::json::exception &error) {
      throw UserError(path + " is no compile database (" + error.what() +
                      "); CMake writes one with -DCMAKE_EXPORT_COMPILE_COMMANDS=ON");
    }
  }

  bool empty() const { return files_.empty(); }
  const SourceFile *find(const std::string &path) const {
    const auto it = files_.find(path);
    return it == files_.end() ? nullptr : &it->second;
  }
  const std::vector<std::vector<std::string>> &targets() const { return groups_; }

private:
  void add(const nlohmann::json &entry, const fs::path &folder) {
    const fs::path directory = folder / entry.value("directory", ".");
    SourceFile source;
    source.directory = directory.lexically_normal();
    source.path = (directory / entry.at("file").get<std::string>()).lexically_normal();
    std::vector<std::string> command;
    if (entry.contains("arguments")) {
      entry["arguments"].get_to(command);
    } else {
      command = CLI::detail::split_up(entry.at("command").get<std::string>());
      for (std::string &word : command) {
        CLI::detail::remove_quotes(word);
      }
    }
    // A launcher (ccache, cmake -E env A=B ccache) comes before the compiler: flags begin behind
    // the last word that is none.
    size_t first = 0;
    while (first < command.size() &&
           (command[first].empty() || command[first][0] != '-' || command[first] == "-E")) {
      ++first;
    }
    std::string output = entry.value("output", "");
    for (size_t i = first; i + 1 < command.size(); ++i) {
      if (command[i] == "-o") {
        output = output.empty() ? command[i + 1] : output;
      }
    }
    source.flags = user_flags({command.begin() + static_cast<std::ptrdiff_t>(first), command.end()},
                              source.path, source.directory);
    // CMake: <folder>/CMakeFiles/<target>.dir/<source>.o; others: all objects of one folder.
    const std::string object = (directory / output).lexically_normal();
    const size_t target = object.find(".dir/");
    const std::string group = output.empty() ? source.path
                              : target != std::string::npos
                                  ? object.substr(0, target)
                                  : fs::path(object).parent_path().string();
    const auto [it, inserted] = group_of_.emplace(group, groups_.size());
    if (inserted) {
      groups_.emplace_back();
    }
    if (source.path.find("cmake_pch") == std::string::npos) {
      groups_[it->second].push_back(source.path);
      files_.emplace(source.path, std::move(source));
    }
  }

  std::map<std::string, SourceFile> files_;
  std::vector<std::vector<std::string>> groups_;
  std::map<std::string, size_t> group_of_;
};

std::string absolute(const std::string &path) {
  return fs::absolute(path).lexically_normal().string();
}

class Driver {
public:
  explicit Driver(Options options)
      : options_(std::move(options)),
        database_(options_.build_folder.empty() ? CompileDatabase()
                                                : CompileDatabase(options_.build_folder)),
        builder_({options_.compiler, options_.cache, options_.jobs, std::chrono::seconds(600),
                  options_.verbose}) {}

  int confirm_findings(const std::string &path);
  int report_health();

private:
  struct Case { // a program with its findings
    Program program;
    std::vector<size_t> findings;
    std::vector<size_t> chosen; // those whose fixes go together
  };

  SourceFile source_file(const std::string &path) const;
  Program program_of(const std::vector<std::string> &sources) const;
  std::optional<std::vector<std::string>> sources_of(const Finding &finding,
                                                     const FindingsFile &file);
  std::vector<RunObservation>
  run_many(const std::vector<std::pair<std::string, std::string>> &wanted, int repetition,
           const std::string &device) const;
  void locate(const std::string &library, const Runs &runs, Verdict &verdict) const;
  std::vector<std::string> with_fp32() const;

  Options options_;
  CompileDatabase database_;
  Builder builder_;
  std::map<std::string, std::vector<std::string>> headers_; // source -> user headers
};

std::vector<std::string> Driver::with_fp32() const {
  std::vector<std::string> precisions = options_.precision;
  if (std::find(precisions.begin(), precisions.end(), "fp32") == precisions.end()) {
    precisions.insert(precisions.begin(), "fp32");
  }
  return precisions;
}

SourceFile Driver::source_file(const std::string &path) const {
  SourceFile source;
  if (const SourceFile *const known = database_.find(path)) {
    source = *known;
  } else {
    source.path = path;
    source.directory = fs::current_path();
  }
  for (const std::string &flag :
       user_flags(options_.extra_arguments, source.path, fs::current_path())) {
    source.flags.push_back(flag);
  }
  return source;
}

Program Driver::program_of(const std::vector<std::string> &sources) const {
  Program program;
  for (const std::string &source : sources) {
    program.sources.push_back(source_file(source));
  }
  return program;
}

std::optional<std::vector<std::string>> Driver::sources_of(const Finding &finding,
                                                           const FindingsFile &file) {
  if (!options_.sources.empty()) {
    std::vector<std::string> sources;
    for (const std::string &source : options_.sources) {
      sources.push_back(absolute(source));
    }
    return sources;
  }
  std::vector<std::vector<std::string>> groups = file.source_groups;
  groups.insert(groups.end(), database_.targets().begin(), database_.targets().end());
  for (const auto &group : groups) {
    if (std::find(group.begin(), group.end(), finding.file) != group.end()) {
      return group;
    }
  }
  static const std::set<std::string> source_extensions = {".cpp", ".cc", ".cxx",
                                                          ".c++", ".C",  ".cu"};
  if (source_extensions.count(fs::path(finding.file).extension()) != 0) {
    return std::vector<std::string>{finding.file};
  }
  // A header: the first program that reads it.
  for (const auto &group : groups) {
    for (const std::string &source : group) {
      auto known = headers_.find(source);
      if (known == headers_.end()) {
        known = headers_.emplace(source, builder_.user_headers(source_file(source))).first;
      }
      const auto &headers = known->second;
      if (std::find(headers.begin(), headers.end(), finding.file) != headers.end()) {
        return group;
      }
    }
  }
  return std::nullopt;
}

// Runs each (library, precision), or takes what the same run gave before.
std::vector<RunObservation>
Driver::run_many(const std::vector<std::pair<std::string, std::string>> &wanted, int repetition,
                 const std::string &device) const {
  const auto record_of = [&](const std::string &library, const std::string &precision,
                             const std::string &model) {
    return builder_.runs() + "/" +
           hash({library, builder_.identity(), precision, device,
                 fs::exists("/dev/nvidiactl") ? "gpu" : "", std::to_string(options_.seed),
                 std::to_string(options_.steps), std::to_string(repetition), model}) +
           ".jsonl";
  };
  const auto command_for = [&](const std::string &library, const std::string &precision,
                               const std::string &model, const std::string &record) {
    Command command;
    command.arguments = {builder_.runner(), library,
                         "--record",        record,
                         "--precision",     precision,
                         "--seed",          std::to_string(options_.seed),
                         "--steps",         std::to_string(options_.steps),
                         "--device",        device};
    if (!model.empty()) {
      command.arguments.insert(command.arguments.end(), {"--model", model});
    }
    command.output = record + ".log";
    command.timeout = std::chrono::seconds(options_.timeout);
    command.memory = options_.memory << 20;
    return command;
  };
  std::vector<RunObservation> results(wanted.size());
  std::vector<Command> commands;
  std::vector<size_t> pending;
  std::vector<std::string> temporary;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto &[library, precision] = wanted[i];
    const std::string record = record_of(library, precision, "");
    if (!options_.fresh && fs::exists(record)) {
      results[i] = read_record(record, "");
      if (results[i].failure.empty()) {
        continue;
      }
    }
    temporary.push_back(record + "." + std::to_string(getpid()) + "." + std::to_string(i));
    commands.push_back(command_for(library, precision, "", temporary.back()));
    pending.push_back(i);
  }
  const auto clear = [](const std::string &record) {
    std::error_code error;
    for (const char *const suffix : {"", ".values", ".log"}) {
      fs::remove(record + suffix, error);
    }
  };
  const std::vector<Exit> exits = run_all(commands, options_.jobs);
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
    const auto &[library, precision] = wanted[pending[p]];
    if (exits[p].ok()) {
      const std::string record = record_of(library, precision, "");
      std::error_code error;
      // The values first: a record that is there is whole.
      fs::rename(temporary[p] + ".values", record + ".values", error);
      fs::rename(temporary[p], record, error);
    } else {
      for (const ModelObservation &model : result.models) {
        if (model.status == ModelObservation::Status::lost &&
            model.lost_reason.rfind("not run: ", 0) == 0) {
          again.push_back(
              command_for(library, precision, model.model, temporary[p] + "." + model.model));
          again_for.emplace_back(pending[p], model.model);
        }
      }
    }
    clear(temporary[p]);
  }
  const std::vector<Exit> second = run_all(again, options_.jobs);
  for (size_t a = 0; a < again.size(); ++a) {
    const std::string &record = again[a].arguments[3];
    RunObservation alone = read_record(record, second[a].ok() ? "" : told(second[a], again[a]));
    for (ModelObservation &model : results[again_for[a].first].models) {
      if (model.model == again_for[a].second && !alone.models.empty()) {
        model = std::move(alone.models.front());
      }
    }
    clear(record);
  }
  return results;
}

// Says where in the source an exception comes from.
void Driver::locate(const std::string &library, const Runs &runs, Verdict &verdict) const {
  for (const std::string &precision : verdict.precision) {
    const ModeObserved &mode = verdict.modes.at(precision);
    if (mode.observed.outcome != Outcome::throws || runs.count(precision) == 0) {
      continue;
    }
    const ModelObservation *const model = runs.at(precision).find(mode.model);
    if (model == nullptr || !model->exception) {
      continue;
    }
    const auto first_line = [&](const std::vector<FrameObservation> &frames) {
      for (const FrameObservation &frame : frames) {
        const std::string line = builder_.source_line(library, frame.address);
        if (!line.empty() && line.find("/torch/") == std::string::npos &&
            line.find("/torch_tidy/") == std::string::npos &&
            line.find("/ATen/") == std::string::npos && line.find("/c++/") == std::string::npos) {
          return line;
        }
      }
      return std::string();
    };
    const ExceptionObservation &exception = *model->exception;
    verdict.where = {{"phase", exception.phase}, {"message", exception.message}};
    const auto add = [&](const char *key, const std::string &text) {
      if (!text.empty()) {
        verdict.where[key] = text;
      }
    };
    add("operation", exception.node);
    add("recorded", first_line(exception.forward_frames));
    add("thrown", first_line(exception.frames));
    return;
  }
}

std::string short_place(const std::string &file, int64_t line) {
  const std::string relative = fs::path(file).lexically_relative(fs::current_path());
  return (relative.empty() || relative.rfind("..", 0) == 0 ? fs::path(file).filename().string()
                                                           : relative) +
         ":" + std::to_string(line);
}

// Characters, not bytes: for columns.
size_t width(const std::string &text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void print_table(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths;
  for (const auto &row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width(row[i]));
    }
  }
  std::ostringstream text;
  for (const auto &row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
    }
    text << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
  }
  std::cerr << text.str() << std::flush;
}

std::string affected(const Verdict &verdict) {
  std::vector<std::string> names;
  for (const std::string &precision : verdict.precision) {
    for (const ParameterOutcome &one : verdict.modes.at(precision).observed.parameters) {
      if (one.outcome != Outcome::benign &&
          std::find(names.begin(), names.end(), one.name) == names.end()) {
        names.push_back(one.name);
      }
    }
    if (!names.empty()) {
      break; // fp32's, or the first precision that shows it
    }
  }
  std::string text;
  for (size_t i = 0; i < names.size() && i < 3; ++i) {
    text += (i > 0 ? ", " : "") + names[i];
  }
  return names.size() > 3 ? text + " and " + std::to_string(names.size() - 3) + " more" : text;
}

int Driver::confirm_findings(const std::string &path) {
  FindingsFile file = read_findings(path);
  std::vector<Finding> &findings = file.findings;
  std::vector<Verdict> verdicts(findings.size(), inconclusive("not run"));
  std::map<size_t, std::string> unusable; // finding -> why its fix cannot be left out
  std::vector<Case> cases;
  std::map<std::vector<std::string>, size_t> case_of;
  for (size_t i = 0; i < findings.size(); ++i) {
    const auto sources = sources_of(findings[i], file);
    if (!sources) {
      verdicts[i] = inconclusive("which sources use " + findings[i].file +
                                 " is not known: name them with --source, or a compile database "
                                 "with -p");
      continue;
    }
    const auto [it, inserted] = case_of.emplace(*sources, cases.size());
    if (inserted) {
      cases.emplace_back().program = program_of(*sources);
    }
    cases[it->second].findings.push_back(i);
    if (!findings[i].unusable_fix.empty()) {
      unusable[i] = findings[i].unusable_fix;
    }
  }
  for (Case &one : cases) {
    one.chosen = compatible(findings, one.findings, unusable);
  }

  // Build: per case the corrected program, then one variant per fix left out. Where the corrected
  // program does not build, the fixes are tried one by one and those to blame are given up.
  std::vector<Variant> variants;
  std::vector<std::pair<size_t, std::optional<size_t>>> meaning; // case, fix left out
  std::vector<size_t> corrected_at(cases.size());
  const auto plan = [&](size_t c) {
    corrected_at[c] = variants.size();
    variants.push_back({&cases[c].program, apply_fixes(findings, cases[c].chosen), "", ""});
    meaning.emplace_back(c, std::nullopt);
    for (const size_t i : cases[c].chosen) {
      variants.push_back({&cases[c].program, apply_fixes(findings, cases[c].chosen, i), "", ""});
      meaning.emplace_back(c, i);
    }
  };
  for (size_t c = 0; c < cases.size(); ++c) {
    plan(c);
  }
  builder_.build(variants);
  std::vector<size_t> broken;
  std::vector<Variant> singles;
  std::vector<std::pair<size_t, size_t>> single_of;
  for (size_t c = 0; c < cases.size(); ++c) {
    if (!variants[corrected_at[c]].failure.empty() && !cases[c].chosen.empty()) {
      broken.push_back(c);
      singles.push_back({&cases[c].program, {}, "", ""});
      single_of.emplace_back(c, findings.size());
      for (const size_t i : cases[c].chosen) {
        singles.push_back({&cases[c].program, apply_fixes(findings, {i}), "", ""});
        single_of.emplace_back(c, i);
      }
    }
  }
  if (!broken.empty()) {
    builder_.build(singles);
    std::vector<Variant> kept;
    std::vector<std::pair<size_t, std::optional<size_t>>> kept_meaning;
    std::set<size_t> hopeless; // the program itself does not build
    for (size_t s = 0; s < singles.size(); ++s) {
      const auto [c, i] = single_of[s];
      if (i == findings.size()) {
        if (!singles[s].failure.empty()) {
          hopeless.insert(c);
        }
      } else if (hopeless.count(c) == 0 && !singles[s].failure.empty()) {
        unusable[i] = "with its fix, " + singles[s].failure;
        auto &chosen = cases[c].chosen;
        chosen.erase(std::remove(chosen.begin(), chosen.end(), i), chosen.end());
      }
    }
    for (size_t v = 0; v < variants.size(); ++v) {
      const size_t c = meaning[v].first;
      if (std::find(broken.begin(), broken.end(), c) == broken.end() || hopeless.count(c) != 0) {
        if (!meaning[v].second) {
          corrected_at[c] = kept.size();
        }
        kept.push_back(std::move(variants[v]));
        kept_meaning.push_back(meaning[v]);
      }
    }
    variants = std::move(kept);
    meaning = std::move(kept_meaning);
    std::vector<Variant> second;
    const size_t first_new = variants.size();
    for (const size_t c : broken) {
      if (hopeless.count(c) == 0) {
        plan(c);
      }
    }
    second.assign(variants.begin() + static_cast<std::ptrdiff_t>(first_new), variants.end());
    builder_.build(second);
    std::copy(second.begin(), second.end(),
              variants.begin() + static_cast<std::ptrdiff_t>(first_new));
  }

  // Run.
  const std::vector<std::string> precisions = with_fp32();
  std::vector<std::pair<std::string, std::string>> wanted;
  std::vector<std::pair<std::string, std::string>> repeated;
  const auto want = [&](const std::string &library) {
    for (const std::string &precision : precisions) {
      if (!library.empty() && std::find(wanted.begin(), wanted.end(),
                                        std::make_pair(library, precision)) == wanted.end()) {
        wanted.emplace_back(library, precision);
      }
    }
  };
  for (size_t v = 0; v < variants.size(); ++v) {
    want(variants[v].library);
    if (!meaning[v].second && !variants[v].library.empty()) {
      repeated.emplace_back(variants[v].library, "fp32");
    }
  }
  std::cerr << "running " << variants.size() << " programs in " << precisions.size()
            << " precisions ..." << std::endl;
  std::map<std::string, Runs> runs;
  std::map<std::string, RunObservation> again;
  const auto run_on = [&](const std::string &device, const auto &first, const auto &second) {
    std::vector<RunObservation> results = run_many(first, 0, device);
    for (size_t i = 0; i < first.size(); ++i) {
      runs[first[i].first][first[i].second] = std::move(results[i]);
    }
    results = run_many(second, 1, device);
    for (size_t i = 0; i < second.size(); ++i) {
      again[second[i].first] = std::move(results[i]);
    }
  };
  run_on(options_.device, wanted, repeated);
  if (options_.device == "auto") {
    // A program whose inputs stay on the CPU (see Note [Devices] in confirm.h) is run there.
    std::set<size_t> cpu_only;
    for (size_t v = 0; v < variants.size(); ++v) {
      const auto it = runs.find(variants[v].library);
      if (it == runs.end() || it->second["fp32"].device.rfind("cuda", 0) != 0) {
        continue;
      }
      for (const ModelObservation &model : it->second["fp32"].models) {
        if (model.exception &&
            model.exception->message.find("on the same device") != std::string::npos) {
          cpu_only.insert(meaning[v].first);
        }
      }
    }
    std::vector<std::pair<std::string, std::string>> wanted_cpu;
    std::vector<std::pair<std::string, std::string>> repeated_cpu;
    for (size_t v = 0; v < variants.size(); ++v) {
      if (cpu_only.count(meaning[v].first) != 0 && !variants[v].library.empty()) {
        for (const std::string &precision : precisions) {
          wanted_cpu.emplace_back(variants[v].library, precision);
        }
        if (!meaning[v].second) {
          repeated_cpu.emplace_back(variants[v].library, "fp32");
        }
      }
    }
    if (!wanted_cpu.empty()) {
      std::cerr << "note: " << cpu_only.size()
                << " program(s) keep inputs on the CPU and run there; make them on "
                   "torch_tidy::device()\n";
      run_on("cpu", wanted_cpu, repeated_cpu);
    }
  }

  // Judge.
  for (size_t v = 0; v < variants.size(); ++v) {
    const auto [c, left_out] = meaning[v];
    const Variant &corrected = variants[corrected_at[c]];
    if (left_out) {
      Verdict &verdict = verdicts[*left_out];
      if (!corrected.failure.empty()) {
        verdict = inconclusive("the corrected program: " + corrected.failure);
      } else if (!variants[v].failure.empty()) {
        verdict = inconclusive("the program with this defect alone: " + variants[v].failure);
      } else {
        verdict = judge(findings[*left_out], runs[variants[v].library], runs[corrected.library],
                        again[corrected.library], options_.precision);
        locate(variants[v].library, runs[variants[v].library], verdict);
      }
      continue;
    }
    for (const size_t i : cases[c].findings) {
      if (unusable.count(i) != 0) {
        verdicts[i] = inconclusive(unusable[i]);
      } else if (findings[i].edits.empty()) {
        if (!corrected.failure.empty()) {
          verdicts[i] = inconclusive("the program: " + corrected.failure);
          continue;
        }
        const bool rivals =
            std::any_of(cases[c].findings.begin(), cases[c].findings.end(), [&](size_t other) {
              return other != i && (findings[other].edits.empty() || unusable.count(other) != 0) &&
                     findings[other].predicted == findings[i].predicted;
            });
        verdicts[i] =
            judge_without_fix(findings[i], runs[corrected.library], options_.precision, rivals);
        locate(corrected.library, runs[corrected.library], verdicts[i]);
      }
    }
  }

  // Write, then tell.
  for (size_t i = 0; i < findings.size(); ++i) {
    nlohmann::ordered_json &result =
        file.document["runs"][findings[i].run]["results"][findings[i].result];
    result["properties"]["runtime"] = to_json(verdicts[i]);
  }
  const std::string text =
      file.document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (options_.output == "-") {
    std::cout << text << std::flush;
  } else {
    write_atomically(options_.output.empty() ? path : options_.output, text);
  }
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"finding", "check", "predicted"});
  for (const std::string &precision : options_.precision) {
    rows.back().push_back(precision);
  }
  rows.back().insert(rows.back().end(), {"verdict", "parameters"});
  std::map<std::string, size_t> counts;
  bool fail = false;
  for (size_t i = 0; i < findings.size(); ++i) {
    const Verdict &verdict = verdicts[i];
    std::vector<std::string> row = {short_place(findings[i].file, findings[i].line),
                                    findings[i].rule,
                                    findings[i].predicted.empty() ? "-" : findings[i].predicted};
    for (const std::string &precision : options_.precision) {
      const auto mode = verdict.modes.find(precision);
      row.push_back(
          mode == verdict.modes.end() ? (verdict.not_available.count(precision) != 0 ? "n/a" : "-")
          : mode->second.observed.outcome ? std::string(word(*mode->second.observed.outcome))
                                          : "?");
    }
    row.push_back(verdict.verdict);
    row.push_back(affected(verdict));
    rows.push_back(std::move(row));
    ++counts[verdict.verdict];
    const auto rank = [](const std::string &level) {
      return std::find(levels.begin(), levels.end(), level) - levels.begin();
    };
    fail = fail || (verdict.verdict == "confirmed" && findings[i].level != "none" &&
                    rank(findings[i].level) >= rank(options_.fail_on));
  }
  if (!findings.empty()) {
    print_table(rows);
  }
  std::set<std::string> told_once;
  for (size_t i = 0; i < findings.size(); ++i) {
    if (verdicts[i].verdict != "confirmed") {
      std::cerr << short_place(findings[i].file, findings[i].line) << ": " << verdicts[i].verdict
                << ": " << verdicts[i].reason << "\n";
    } else if (verdicts[i].where.count("recorded") != 0) {
      std::cerr << short_place(findings[i].file, findings[i].line) << ": backward fails in "
                << verdicts[i].where["operation"] << ", recorded at "
                << verdicts[i].where["recorded"] << "\n";
    }
    for (const auto &[precision, why] : verdicts[i].not_available) {
      if (told_once.insert(precision + why).second) {
        std::cerr << "note: " << precision << " was not run: " << why << "\n";
      }
    }
  }
  std::cerr << findings.size() << " finding" << (findings.size() == 1 ? "" : "s") << ": "
            << counts["confirmed"] << " confirmed, " << counts["refuted"] << " refuted, "
            << counts["inconclusive"] << " inconclusive\n";
  return fail ? 1 : 0;
}

// Without findings: how the registered models fare, parameter by parameter, precision by precision.
int Driver::report_health() {
  std::vector<Program> programs;
  std::set<std::vector<std::string>> seen;
  for (const std::string &input : options_.inputs) {
    const std::string path = absolute(input);
    read_file(path); // one clear message where there is none
    std::vector<std::string> sources = {path};
    for (const auto &group : database_.targets()) {
      if (std::find(group.begin(), group.end(), path) != group.end()) {
        sources = group;
        break;
      }
    }
    for (const std::string &source : options_.sources) {
      if (std::find(sources.begin(), sources.end(), absolute(source)) == sources.end()) {
        sources.push_back(absolute(source));
      }
    }
    if (seen.insert(sources).second) {
      programs.push_back(program_of(sources));
    }
  }
  std::vector<Variant> variants;
  for (const Program &program : programs) {
    variants.push_back({&program, {}, "", ""});
  }
  builder_.build(variants);
  const std::vector<std::string> precisions = with_fp32();
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const Variant &variant : variants) {
    for (const std::string &precision : precisions) {
      if (!variant.library.empty()) {
        wanted.emplace_back(variant.library, precision);
      }
    }
  }
  std::vector<RunObservation> results = run_many(wanted, 0, options_.device);
  std::map<std::string, Runs> runs;
  for (size_t i = 0; i < wanted.size(); ++i) {
    runs[wanted[i].first][wanted[i].second] = std::move(results[i]);
  }
  bool sick = false;
  bool unable = false;
  nlohmann::ordered_json report = {{"schema", "torch-tidy-health-1"},
                                   {"models", nlohmann::json::array()}};
  std::vector<std::vector<std::string>> rows = {{"model", "parameter"}};
  for (const std::string &precision : options_.precision) {
    rows.back().push_back(precision);
  }
  std::vector<std::string> remarks;
  for (const Variant &variant : variants) {
    const std::string source = variant.program->sources.front().path;
    if (!variant.failure.empty()) {
      std::cerr << "error: " << source << ": " << variant.failure << "\n";
      unable = true;
      continue;
    }
    Runs &mine = runs[variant.library];
    const RunObservation &fp32 = mine["fp32"];
    if (!fp32.failure.empty()) {
      std::cerr << "error: " << source << ": " << fp32.failure << "\n";
      unable = true;
      continue;
    }
    for (const std::string &name : fp32.names) {
      Verdict verdict; // collects the modes, for the table and the JSON
      verdict.device = fp32.device;
      verdict.libtorch = fp32.libtorch;
      std::map<std::string, std::map<std::string, std::string>> cells;
      std::vector<std::string> order;
      for (const std::string &precision : options_.precision) {
        const RunObservation &run = mine[precision];
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
        if (!mode.observed.outcome || *mode.observed.outcome != Outcome::benign) {
          sick = true;
          remarks.push_back(name + ", " + precision + ": " + mode.observed.reason);
        }
        for (const ParameterOutcome &one : mode.observed.parameters) {
          if (cells.count(one.name) == 0) {
            order.push_back(one.name);
          }
          std::ostringstream cell;
          cell << (one.outcome == Outcome::benign ? "ok" : std::string(word(one.outcome)));
          if (one.defined) {
            cell << " (" << std::setprecision(3) << one.norm << ")";
          }
          cells[one.name][precision] = cell.str();
        }
      }
      if (order.empty()) {
        order.push_back("-");
      }
      for (const std::string &parameter : order) {
        std::vector<std::string> row = {name, parameter};
        for (const std::string &precision : options_.precision) {
          const auto mode = verdict.modes.find(precision);
          const auto cell = cells[parameter].find(precision);
          row.push_back(cell != cells[parameter].end() ? cell->second
                        : mode == verdict.modes.end()  ? "n/a"
                        : mode->second.observed.outcome
                            ? std::string(word(*mode->second.observed.outcome))
                            : "?");
        }
        rows.push_back(std::move(row));
      }
      locate(variant.library, mine, verdict);
      nlohmann::ordered_json one = to_json(verdict);
      one.erase("verdict");
      one.erase("reason");
      nlohmann::ordered_json entry = {{"model", name}, {"source", source}};
      entry.update(one);
      report["models"].push_back(std::move(entry));
    }
  }
  if (rows.size() > 1) {
    print_table(rows);
  }
  for (const std::string &remark : remarks) {
    std::cerr << remark << "\n";
  }
  if (unable) {
    return 2;
  }
  const std::string text =
      report.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (options_.output == "-") {
    std::cout << text << std::flush;
  } else if (!options_.output.empty()) {
    write_atomically(options_.output, text);
  }
  return sick ? 1 : 0;
}

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
      ->check(CLI::IsMember(levels));
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
  Driver driver(options);
  return findings ? driver.confirm_findings(options.inputs[0]) : driver.report_health();
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
