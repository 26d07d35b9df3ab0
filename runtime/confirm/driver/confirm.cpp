#include "confirm.h"

#include "locate.h"
#include "runs.h"
#include "table.h"

#include <algorithm>
#include <iostream>
#include <set>

namespace torch_tidy::confirm {

std::vector<std::string> with_fp32(const std::vector<std::string> &precisions) {
  std::vector<std::string> result = precisions;
  if (std::find(result.begin(), result.end(), "fp32") == result.end()) {
    result.insert(result.begin(), "fp32");
  }
  return result;
}

const std::vector<std::string> &levels() {
  static const std::vector<std::string> words = {"none", "note", "warning", "error"};
  return words;
}

Confirmation::Confirmation(const std::string &path, const Options &options, Builder &builder)
    : options_(options), builder_(builder), programs_(options, builder), file_(read_findings(path)),
      verdicts_(file_.findings.size(), inconclusive("not run")) {}

void Confirmation::run() {
  group();
  build();
  observe();
  judge_all();
}

// Findings by program.
void Confirmation::group() {
  std::map<std::vector<std::string>, size_t> case_of;
  for (size_t i = 0; i < findings().size(); ++i) {
    const auto sources = programs_.sources_of(findings()[i], file_);
    if (!sources) {
      verdicts_[i] = inconclusive("which sources use " + findings()[i].file +
                                  " is not known: name them with --source, or a compile database "
                                  "with -p");
      continue;
    }
    const auto [it, inserted] = case_of.emplace(*sources, cases_.size());
    if (inserted) {
      cases_.emplace_back().program = programs_.program_of(*sources);
    }
    cases_[it->second].findings.push_back(i);
    if (!findings()[i].unusable_fix.empty()) {
      unusable_[i] = findings()[i].unusable_fix;
    }
  }
  for (Case &one : cases_) {
    one.chosen = compatible(findings(), one.findings, unusable_);
  }
}

void Confirmation::plan(size_t c) {
  Case &one = cases_[c];
  one.corrected = variants_.size();
  variants_.push_back({&one.program, apply_fixes(findings(), one.chosen), "", ""});
  meaning_.push_back({c, std::nullopt});
  for (const size_t i : one.chosen) {
    variants_.push_back({&one.program, apply_fixes(findings(), one.chosen, i), "", ""});
    meaning_.push_back({c, i});
  }
}

// Per case the corrected program, then one variant per fix left out.
void Confirmation::build() {
  for (size_t c = 0; c < cases_.size(); ++c) {
    plan(c);
  }
  builder_.build(variants_);
  std::vector<size_t> broken;
  for (size_t c = 0; c < cases_.size(); ++c) {
    if (!variants_[cases_[c].corrected].failure.empty() && !cases_[c].chosen.empty()) {
      broken.push_back(c);
    }
  }
  if (!broken.empty()) {
    give_up_broken_fixes(broken);
  }
}

// Where the corrected program does not build, the fixes are tried one by one, and those to blame
// are given up.
void Confirmation::give_up_broken_fixes(const std::vector<size_t> &broken) {
  std::vector<Variant> singles;
  std::vector<Meaning> single_of; // left_out: the only fix applied; none: the program as it is
  for (const size_t c : broken) {
    singles.push_back({&cases_[c].program, {}, "", ""});
    single_of.push_back({c, std::nullopt});
    for (const size_t i : cases_[c].chosen) {
      singles.push_back({&cases_[c].program, apply_fixes(findings(), {i}), "", ""});
      single_of.push_back({c, i});
    }
  }
  builder_.build(singles);
  std::set<size_t> again(broken.begin(), broken.end());
  for (size_t s = 0; s < singles.size(); ++s) {
    const auto [c, only] = single_of[s];
    if (singles[s].failure.empty() || again.count(c) == 0) {
      continue;
    }
    if (!only) {
      again.erase(c); // the program itself does not build
      continue;
    }
    unusable_[*only] = "with its fix, " + singles[s].failure;
    auto &chosen = cases_[c].chosen;
    chosen.erase(std::remove(chosen.begin(), chosen.end(), *only), chosen.end());
  }
  std::vector<Variant> built;
  std::vector<Meaning> meaning;
  for (size_t v = 0; v < variants_.size(); ++v) {
    if (again.count(meaning_[v].of_case) == 0) {
      if (!meaning_[v].left_out) {
        cases_[meaning_[v].of_case].corrected = built.size();
      }
      built.push_back(std::move(variants_[v]));
      meaning.push_back(meaning_[v]);
    }
  }
  variants_ = std::move(built);
  meaning_ = std::move(meaning);
  const auto first_new = static_cast<std::ptrdiff_t>(variants_.size());
  for (const size_t c : again) {
    plan(c);
  }
  std::vector<Variant> rest(variants_.begin() + first_new, variants_.end());
  builder_.build(rest);
  std::copy(rest.begin(), rest.end(), variants_.begin() + first_new);
}

void Confirmation::observe() {
  std::vector<size_t> all(variants_.size());
  for (size_t v = 0; v < all.size(); ++v) {
    all[v] = v;
  }
  std::cerr << "running " << all.size() << (all.size() == 1 ? " program in " : " programs in ")
            << with_fp32(options_.precision).size() << " precisions ..." << std::endl;
  observe_on(options_.device, all);
  if (options_.device == "auto") {
    observe_on_the_cpu_what_asks_for_it();
  }
}

namespace {

// A run on CUDA whose tensors met on two devices, or that read a tensor's memory as the CPU's.
bool asks_for_the_cpu(const ModelObservation &model) {
  if (!model.exception) {
    return model.status == ModelObservation::Status::lost;
  }
  const std::string &message = model.exception->message;
  const auto says = [&](const char *words) { return message.find(words) != std::string::npos; };
  return says("on the same device") || says("at the same device") ||
         (says("CPU") && says("CUDA") && says("should be the same"));
}

bool went_through(const RunObservation &run) {
  return run.failure.empty() &&
         std::all_of(run.models.begin(), run.models.end(), [](const ModelObservation &model) {
           return model.status == ModelObservation::Status::finished;
         });
}

} // namespace

// A program may keep inputs on the CPU while its module goes to the device, or read a tensor's
// memory: see Note [Devices] in torch_tidy/confirm.h. Such a program is run on the CPU, all
// variants of it; where that mends nothing, what CUDA showed stays.
void Confirmation::observe_on_the_cpu_what_asks_for_it() {
  std::set<size_t> wanted;
  for (size_t v = 0; v < variants_.size(); ++v) {
    const auto it = runs_.find(variants_[v].library);
    if (it == runs_.end() || it->second["fp32"].device.rfind("cuda", 0) != 0) {
      continue;
    }
    const RunObservation &run = it->second["fp32"];
    if (std::any_of(run.models.begin(), run.models.end(), asks_for_the_cpu) ||
        (!meaning_[v].left_out && !went_through(run))) {
      wanted.insert(meaning_[v].of_case);
    }
  }
  if (wanted.empty()) {
    return;
  }
  std::vector<size_t> variants;
  for (size_t v = 0; v < variants_.size(); ++v) {
    if (wanted.count(meaning_[v].of_case) != 0) {
      variants.push_back(v);
    }
  }
  const auto on_cuda = runs_;
  const auto repeats_on_cuda = repeats_;
  const auto derivatives_on_cuda = derivatives_;
  observe_on("cpu", variants);
  const auto restore = [](auto &observed, const auto &before, const std::string &library) {
    const auto it = before.find(library);
    if (it != before.end()) {
      observed[library] = it->second;
    }
  };
  std::set<std::string> moved;
  for (const size_t v : variants) {
    const Case &one = cases_[meaning_[v].of_case];
    if (went_through(runs_[variants_[one.corrected].library]["fp32"])) {
      moved.insert(one.program.sources.front().path);
      continue;
    }
    restore(runs_, on_cuda, variants_[v].library);
    restore(repeats_, repeats_on_cuda, variants_[v].library);
    restore(derivatives_, derivatives_on_cuda, variants_[v].library);
  }
  for (const std::string &source : moved) {
    std::cerr << "note: " << source
              << " does not run on CUDA and was run on the CPU; inputs are made on "
                 "torch_tidy::device()\n";
  }
}

void Confirmation::observe_on(const std::string &device, const std::vector<size_t> &variants) {
  std::vector<RunRequest> requests;
  const auto want = [&](RunRequest request) {
    if (std::find(requests.begin(), requests.end(), request) == requests.end()) {
      requests.push_back(std::move(request));
    }
  };
  for (const size_t v : variants) {
    const std::string &library = variants_[v].library;
    if (library.empty()) {
      continue;
    }
    for (const std::string &precision : with_fp32(options_.precision)) {
      want({library, precision});
    }
    if (!meaning_[v].left_out) {
      want({library, "fp32", /*repetition=*/1});
      const std::vector<size_t> &mine = cases_[meaning_[v].of_case].findings;
      if (std::any_of(mine.begin(), mine.end(), [&](size_t i) { return unfixed(i); })) {
        want({library, "fp32", 0, /*derivatives=*/true});
      }
    }
  }
  std::vector<RunObservation> results = run_programs(requests, device, builder_, options_);
  for (size_t i = 0; i < requests.size(); ++i) {
    RunObservation &place = requests[i].derivatives ? derivatives_[requests[i].library]
                            : requests[i].repetition > 0
                                ? repeats_[requests[i].library]
                                : runs_[requests[i].library][requests[i].precision];
    place = std::move(results[i]);
  }
}

void Confirmation::judge_all() {
  for (size_t v = 0; v < variants_.size(); ++v) {
    const auto [c, left_out] = meaning_[v];
    if (!left_out) {
      continue;
    }
    const Variant &corrected = variants_[cases_[c].corrected];
    Verdict &verdict = verdicts_[*left_out];
    if (!corrected.failure.empty()) {
      verdict = inconclusive("the corrected program: " + corrected.failure);
    } else if (!variants_[v].failure.empty()) {
      verdict = inconclusive("the program with this defect alone: " + variants_[v].failure);
    } else {
      verdict = judge(findings()[*left_out], runs_[variants_[v].library], runs_[corrected.library],
                      repeats_[corrected.library], options_.precision);
      locate(builder_, variants_[v].library, runs_[variants_[v].library], verdict);
    }
  }
  for (const Case &one : cases_) {
    for (const size_t i : one.findings) {
      if (unfixed(i)) {
        judge_unfixed(i, one);
      }
    }
  }
}

// The defect is in the corrected program too, since nothing repairs it.
void Confirmation::judge_unfixed(size_t finding, const Case &of_case) {
  const Variant &corrected = variants_[of_case.corrected];
  Verdict &verdict = verdicts_[finding];
  if (!corrected.failure.empty()) {
    verdict = inconclusive("the program: " + corrected.failure);
    return;
  }
  const bool rivals =
      std::any_of(of_case.findings.begin(), of_case.findings.end(), [&](size_t other) {
        return other != finding && unfixed(other) &&
               findings()[other].predicted == findings()[finding].predicted;
      });
  verdict = judge_without_fix(findings()[finding], runs_[corrected.library],
                              derivatives_[corrected.library], options_.precision, rivals);
  if (verdict.verdict == "inconclusive" && unusable_.count(finding) != 0) {
    verdict.reason = unusable_[finding];
  }
  locate(builder_, corrected.library, runs_[corrected.library], verdict);
}

std::string Confirmation::document() {
  for (size_t i = 0; i < findings().size(); ++i) {
    const Finding &finding = findings()[i];
    file_.document["runs"][finding.run]["results"][finding.result]["properties"]["runtime"] =
        to_json(verdicts_[i]);
  }
  return file_.document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

namespace {

std::string observed_in(const Verdict &verdict, const std::string &precision) {
  const auto mode = verdict.modes.find(precision);
  if (mode == verdict.modes.end()) {
    return verdict.not_available.count(precision) != 0 ? "n/a" : "-";
  }
  const std::optional<Outcome> &outcome = mode->second.observed.outcome;
  return outcome ? std::string(word(*outcome)) : "?";
}

std::string table_of(const std::vector<Finding> &findings, const std::vector<Verdict> &verdicts,
                     const std::vector<std::string> &precisions) {
  std::vector<std::vector<std::string>> rows = {{"finding", "check", "predicted"}};
  rows[0].insert(rows[0].end(), precisions.begin(), precisions.end());
  rows[0].insert(rows[0].end(), {"verdict", "parameters affected"});
  for (size_t i = 0; i < findings.size(); ++i) {
    const Finding &finding = findings[i];
    std::vector<std::string> row = {short_place(finding.file, finding.line), finding.rule,
                                    finding.predicted.empty() ? "-" : finding.predicted};
    for (const std::string &precision : precisions) {
      row.push_back(observed_in(verdicts[i], precision));
    }
    row.insert(row.end(), {verdicts[i].verdict, affected(verdicts[i])});
    rows.push_back(std::move(row));
  }
  return table(rows);
}

void tell_reasons(const std::vector<Finding> &findings, const std::vector<Verdict> &verdicts) {
  std::set<std::string> told_once;
  for (size_t i = 0; i < findings.size(); ++i) {
    const std::string place = short_place(findings[i].file, findings[i].line);
    const Verdict &verdict = verdicts[i];
    const auto recorded = verdict.where.find("recorded");
    if (verdict.verdict != "confirmed") {
      std::cerr << place << ": " << verdict.verdict << ": " << verdict.reason << "\n";
    } else if (recorded != verdict.where.end()) {
      std::cerr << place << ": backward fails in " << verdict.where.at("operation")
                << ", recorded at " << recorded->second << "\n";
    }
    for (const std::string &precision : verdict.precision) {
      const Observed &observed = verdict.modes.at(precision).observed;
      if (verdict.verdict == "confirmed" && !observed.outcome && !findings[i].edits.empty()) {
        std::cerr << place << ": not told in " << precision << ": " << observed.reason << "\n";
      }
    }
    for (const auto &[precision, why] : verdict.not_available) {
      if (told_once.insert(precision + why).second) {
        std::cerr << "note: " << precision << " was not run: " << why << "\n";
      }
    }
  }
}

} // namespace

int confirm_findings(const std::string &path, const Options &options, Builder &builder) {
  Confirmation confirmation(path, options, builder);
  confirmation.run();
  if (options.output == "-") {
    std::cout << confirmation.document() << std::flush;
  } else {
    write_atomically(options.output.empty() ? path : options.output, confirmation.document());
  }
  const std::vector<Finding> &findings = confirmation.findings();
  const std::vector<Verdict> &verdicts = confirmation.verdicts();
  if (!findings.empty()) {
    std::cerr << "\n" << table_of(findings, verdicts, options.precision) << "\n" << std::flush;
    tell_reasons(findings, verdicts);
  }
  std::map<std::string, size_t> counts;
  bool fail = false;
  const auto rank = [](const std::string &level) {
    return std::find(levels().begin(), levels().end(), level) - levels().begin();
  };
  for (size_t i = 0; i < findings.size(); ++i) {
    ++counts[verdicts[i].verdict];
    fail = fail || (verdicts[i].verdict == "confirmed" && findings[i].level != "none" &&
                    rank(findings[i].level) >= rank(options.fail_on));
  }
  std::cerr << findings.size() << " finding" << (findings.size() == 1 ? "" : "s") << ": "
            << counts["confirmed"] << " confirmed, " << counts["refuted"] << " refuted, "
            << counts["inconclusive"] << " inconclusive\n";
  return fail ? 1 : 0;
}

} // namespace torch_tidy::confirm
