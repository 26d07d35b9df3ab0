// torch-tidy-confirm end to end, on small programs: what is compiled, run and told.
#include "findings.h"
#include "process.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace torch_tidy::confirm;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Defect {
  std::string defective; ///< what stands in the source; unique there
  std::string repaired;
  std::string outcome;
  bool has_fix = true;
};

class Driver : public ::testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("torch-tidy-driver-" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // `program` with each (from, to) applied: how a defect gets into it.
  std::string source(const std::string &program,
                     const std::vector<std::pair<std::string, std::string>> &changes = {}) {
    std::string text = read_file(std::string(PROGRAMS) + "/" + program);
    for (const auto &[from, to] : changes) {
      const size_t at = text.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      text.replace(at, from.size(), to);
    }
    const std::string path = folder_ / program;
    write_atomically(path, text);
    return path;
  }

  std::string findings(const std::string &source, const std::vector<Defect> &defects) {
    const std::string text = read_file(source);
    json results = json::array();
    for (const Defect &defect : defects) {
      const size_t at = text.find(defect.defective);
      EXPECT_NE(at, std::string::npos) << defect.defective;
      const json location = {{"uri", source}};
      json result = {
          {"ruleId", "torch-test"},
          {"level", "error"},
          {"message", {{"text", "kept as it is"}}},
          {"locations",
           {{{"physicalLocation",
              {{"artifactLocation", location},
               {"region",
                {{"startLine", 1 + std::count(text.begin(), text.begin() + at, '\n')}}}}}}}},
          {"properties", {{"outcome", defect.outcome}, {"certainty", "definite"}}}};
      if (defect.has_fix) {
        result["fixes"] = {
            {{"artifactChanges",
              {{{"artifactLocation", location},
                {"replacements",
                 {{{"deletedRegion", {{"byteOffset", at}, {"byteLength", defect.defective.size()}}},
                   {"insertedContent", {{"text", defect.repaired}}}}}}}}}}};
      }
      results.push_back(result);
    }
    const std::string path = folder_ / "findings.sarif";
    write_atomically(
        path, json{{"version", "2.1.0"},
                   {"runs", {{{"tool", {{"driver", {{"name", "x"}}}}}, {"results", results}}}}}
                  .dump());
    return path;
  }

  Exit confirm(std::vector<std::string> arguments) {
    Command command;
    command.arguments = {CONFIRM, "--cache", CACHE, "--device", device_};
    command.arguments.insert(command.arguments.end(), arguments.begin(), arguments.end());
    command.output = folder_ / "out";
    command.errors = folder_ / "err";
    const Exit exit = run_all({command}, 1).at(0);
    said_ = read_file(command.errors);
    out_ = read_file(command.output);
    return exit;
  }
  static json runtime(const std::string &sarif, size_t index) {
    return json::parse(read_file(sarif))["runs"][0]["results"][index]["properties"]["runtime"];
  }

  fs::path folder_;
  std::string device_ = "cpu";
  std::string said_;
  std::string out_;
};

} // namespace

TEST_F(Driver, shows_what_each_of_three_defects_does_alone) {
  const std::string program = source("three_defects.cpp");
  const std::string sarif = findings(
      program, {{"h.mul_(2)", "h = h.mul(2)", "throws"},
                {"torch::sigmoid(gate(x)).detach()", "torch::sigmoid(gate(x))", "undefined"},
                {"y.data().clamp_(-0.1, 0.1)", "y = y.clamp(-0.1, 0.1)", "wrong"}});
  const json before = json::parse(read_file(sarif));
  EXPECT_EQ(confirm({sarif}).status, 1) << said_;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(runtime(sarif, i)["verdict"], "confirmed") << runtime(sarif, i).dump(1);
  }
  EXPECT_EQ(runtime(sarif, 0)["where"]["operation"], "ReluBackward0");
  EXPECT_NE(runtime(sarif, 0)["where"]["recorded"].get<std::string>().find("three_defects.cpp:15"),
            std::string::npos);
  EXPECT_EQ(runtime(sarif, 1)["observed"], "undefined");
  const json second = runtime(sarif, 1);
  for (const json &one : second["parameters"]) {
    EXPECT_EQ(one["fp32"]["outcome"] == "undefined",
              one["name"].get<std::string>().rfind("gate.", 0) == 0)
        << one;
  }
  EXPECT_EQ(runtime(sarif, 2)["outcomes"]["fp32"]["outcome"], "wrong");
  // All else in the file is as it was.
  json after = json::parse(read_file(sarif));
  for (json &result : after["runs"][0]["results"]) {
    result["properties"].erase("runtime");
  }
  EXPECT_EQ(after, before);
  EXPECT_NE(said_.find("3 confirmed"), std::string::npos);

  // Again: nothing is compiled, and only --fail-on decides the status.
  EXPECT_EQ(confirm({sarif, "--fail-on", "none"}).status, 1);
  EXPECT_EQ(said_.find("compiling"), std::string::npos) << said_;
}

TEST_F(Driver, proves_a_wrong_gradient_without_a_fix_by_the_derivatives_of_the_loss) {
  const std::string sarif =
      findings(source("three_defects.cpp"),
               {{"h.mul_(2)", "h = h.mul(2)", "throws"},
                {"torch::sigmoid(gate(x)).detach()", "torch::sigmoid(gate(x))", "undefined"},
                {"y.data().clamp_(-0.1, 0.1)", "", "wrong", /*has_fix=*/false}});
  EXPECT_EQ(confirm({sarif}).status, 1) << said_;
  const json judged = runtime(sarif, 2);
  EXPECT_EQ(judged["verdict"], "confirmed") << judged.dump(1);
  EXPECT_EQ(judged["observed"], "wrong");
  for (const json &one : judged["parameters"]) {
    // What comes behind the write has the right gradient.
    EXPECT_EQ(one["fp32"]["outcome"] == "benign",
              one["name"].get<std::string>().rfind("head.", 0) == 0)
        << one;
  }
  // The same of a program in which nothing is wrong.
  const std::string quiet = findings(source("quiet.cpp"), {{"h.relu_()", "", "wrong", false}});
  EXPECT_EQ(confirm({quiet}).status, 0) << said_;
  EXPECT_EQ(runtime(quiet, 0)["verdict"], "inconclusive") << runtime(quiet, 0);
  EXPECT_NE(runtime(quiet, 0)["reason"].get<std::string>().find("is the loss's derivative"),
            std::string::npos);
}

// Where there is a GPU; elsewhere "auto" is the CPU from the start, and the verdict the same.
TEST_F(Driver, runs_a_program_that_keeps_its_inputs_on_the_cpu_there) {
  const std::string program =
      source("quiet.cpp", {{"torch::randn({8, 4}, torch_tidy::device())", "torch::randn({8, 4})"}});
  const std::string sarif = findings(program, {{"h.relu_()", "h = h.relu()", "throws"}});
  device_ = "auto";
  EXPECT_EQ(confirm({sarif, "--precision", "fp32"}).status, 0) << said_;
  EXPECT_EQ(runtime(sarif, 0)["verdict"], "refuted") << said_;
  EXPECT_EQ(runtime(sarif, 0)["device"], "cpu") << said_;
}

TEST_F(Driver, refutes_a_look_alike) {
  const std::string sarif =
      findings(source("quiet.cpp"), {{"h.relu_()", "h = h.relu()", "throws"}});
  EXPECT_EQ(confirm({sarif, "--output", (folder_ / "judged.sarif").string()}).status, 0) << said_;
  const json judged = runtime((folder_ / "judged.sarif").string(), 0);
  EXPECT_EQ(judged["verdict"], "refuted");
  EXPECT_EQ(judged["observed"], "benign");
  EXPECT_TRUE(runtime(sarif, 0).is_null()); // --output leaves the input alone
}

TEST_F(Driver, runs_the_program_s_own_function_where_a_library_has_one_of_that_name) {
  const std::string sarif = findings(source("own_name.cpp"), {{"a64l(\"\")", "1", "zero"}});
  EXPECT_EQ(confirm({sarif, "--precision", "fp32"}).status, 0) << said_;
  EXPECT_EQ(runtime(sarif, 0)["observed"], "benign") << runtime(sarif, 0);
}

TEST_F(Driver, is_inconclusive_for_a_hang_and_judges_the_other_models) {
  const std::string sarif = findings(source("rough.cpp", {{"hang = false", "hang = true"}}),
                                     {{"hang = true", "hang = false", "throws"}});
  EXPECT_EQ(confirm({sarif, "--timeout", "3", "--precision", "fp32"}).status, 0) << said_;
  EXPECT_EQ(runtime(sarif, 0)["verdict"], "inconclusive") << runtime(sarif, 0);
  EXPECT_NE(runtime(sarif, 0)["reason"].get<std::string>().find("took more than 3 s"),
            std::string::npos);
}

TEST_F(Driver, is_inconclusive_for_a_crash_and_confirms_what_accumulates) {
  const std::string sarif = findings(
      source("rough.cpp", {{"crash = false", "crash = true"}, {"clear = true;", "clear = false;"}}),
      {{"crash = true", "crash = false", "throws"}, {"clear = false;", "clear = true;", "stale"}});
  EXPECT_EQ(confirm({sarif, "--precision", "fp32"}).status, 1) << said_;
  EXPECT_EQ(runtime(sarif, 0)["verdict"], "inconclusive") << runtime(sarif, 0);
  EXPECT_NE(runtime(sarif, 0)["reason"].get<std::string>().find("crashed"), std::string::npos);
  EXPECT_EQ(runtime(sarif, 1)["verdict"], "confirmed") << runtime(sarif, 1);
  EXPECT_EQ(runtime(sarif, 1)["observed"], "stale");
}

TEST_F(Driver, gives_up_a_fix_that_does_not_compile_and_no_other) {
  const std::string sarif =
      findings(source("quiet.cpp"), {{"h.relu_()", "h = h.relu()", "throws"},
                                     {"h = first(x)", "h = no_such_thing(x)", "wrong"}});
  EXPECT_EQ(confirm({sarif, "--precision", "fp32"}).status, 0) << said_;
  EXPECT_EQ(runtime(sarif, 0)["verdict"], "refuted") << runtime(sarif, 0);
  EXPECT_EQ(runtime(sarif, 1)["verdict"], "inconclusive");
  EXPECT_NE(runtime(sarif, 1)["reason"].get<std::string>().find("no_such_thing"),
            std::string::npos);
}

TEST_F(Driver, refuses_a_broken_findings_file_and_leaves_it_as_it_is) {
  const std::string path = folder_ / "broken.sarif";
  write_atomically(path, "{\"version\": \"2.1.0\", ");
  EXPECT_EQ(confirm({path}).status, 2);
  EXPECT_NE(said_.find("is not JSON"), std::string::npos);
  EXPECT_EQ(std::count(said_.begin(), said_.end(), '\n'), 1) << said_;
  EXPECT_EQ(read_file(path), "{\"version\": \"2.1.0\", ");
  EXPECT_EQ(confirm({(folder_ / "none.sarif").string()}).status, 2);
  EXPECT_EQ(confirm({path, "--torch", folder_.string()}).status, 2);
  EXPECT_NE(said_.find("-DTORCH_TIDY_LIBTORCH="), std::string::npos);
  EXPECT_EQ(confirm({path, "--precision", "fp8"}).status, 2);
}

TEST_F(Driver, shows_underflow_that_the_scaler_heals) {
  const std::string report = folder_ / "health.json";
  const Exit exit =
      confirm({source("faint.cpp"), "--precision", "fp32,fp16-noscale,fp16", "--output", report});
  const json model = json::parse(read_file(report))["models"][0];
  if (model.contains("notAvailable")) {
    EXPECT_EQ(exit.status, 0);
    GTEST_SKIP() << "no float16 autocast here: " << model["notAvailable"];
  }
  EXPECT_EQ(exit.status, 1) << said_;
  EXPECT_EQ(model["outcomes"]["fp32"]["outcome"], "benign");
  EXPECT_EQ(model["outcomes"]["fp16-noscale"]["outcome"], "underflow");
  EXPECT_EQ(model["outcomes"]["fp16"]["outcome"], "benign");
}
