#include "compile_database.h"
#include "files.h"
#include "findings.h"
#include "flags.h"
#include "process.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

using namespace torch_tidy::confirm;
namespace fs = std::filesystem;

namespace {

class FindingsTest : public ::testing::Test {
protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("torch-tidy-" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string &name, const std::string &text) const {
    fs::create_directories((folder_ / name).parent_path());
    write_atomically(folder_ / name, text);
    return folder_ / name;
  }
  // A findings file with one result whose fix deletes `region` of net.cpp and inserts `text`.
  std::string sarif(const nlohmann::json &region, const std::string &text,
                    const std::string &uri = "net.cpp") const {
    const nlohmann::json location = {{"uri", uri}};
    const nlohmann::json result = {
        {"ruleId", "torch-x"},
        {"locations",
         {{{"physicalLocation",
            {{"artifactLocation", location}, {"region", {{"startLine", 1}}}}}}}},
        {"fixes",
         {{{"artifactChanges",
            {{{"artifactLocation", location},
              {"replacements",
               {{{"deletedRegion", region}, {"insertedContent", {{"text", text}}}}}}}}}}}},
        {"properties", {{"outcome", "wrong"}, {"certainty", "possible"}}}};
    return write("f.sarif",
                 nlohmann::json{{"version", "2.1.0"}, {"runs", {{{"results", {result}}}}}}.dump());
  }
  std::string fixed(const nlohmann::json &region, const std::string &text) const {
    const FindingsFile file = read_findings(sarif(region, text));
    EXPECT_EQ(file.findings.at(0).unusable_fix, "");
    const auto texts = apply_fixes(file.findings, {0});
    return texts.empty() ? "" : texts.begin()->second;
  }
  static std::string complaint(const std::string &path) {
    try {
      read_findings(path);
    } catch (const UserError &error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
};

Finding with_edits(std::vector<Edit> edits) {
  Finding finding;
  finding.rule = "torch-x";
  finding.edits = std::move(edits);
  return finding;
}

} // namespace

TEST_F(FindingsTest, applies_bytes_characters_and_lines_alike) {
  // The a-umlaut has two bytes, the flag four and two UTF-16 units.
  write("net.cpp", "// \xC3\xA4\nint \xF0\x9F\x9A\xA9; h.mul_(2);\n");
  const std::string wanted = "// \xC3\xA4\nint \xF0\x9F\x9A\xA9; h = h.mul(2);\n";
  EXPECT_EQ(fixed({{"byteOffset", 16}, {"byteLength", 9}}, "h = h.mul(2)"), wanted);
  EXPECT_EQ(fixed({{"charOffset", 13}, {"charLength", 9}}, "h = h.mul(2)"), wanted);
  EXPECT_EQ(fixed({{"startLine", 2}, {"startColumn", 9}, {"endColumn", 18}}, "h = h.mul(2)"),
            wanted);
  // Bytes win over the rest where all are given.
  EXPECT_EQ(fixed({{"byteOffset", 16}, {"byteLength", 9}, {"charOffset", 0}, {"startLine", 2}},
                  "h = h.mul(2)"),
            wanted);
}

TEST_F(FindingsTest, finds_files_by_uri_base_and_percent_escapes) {
  fs::create_directories(folder_ / "a b");
  const std::string source = write("a b/net.cpp", "old");
  const std::string path = sarif({{"byteOffset", 0}, {"byteLength", 3}}, "new", "a%20b/net.cpp");
  EXPECT_EQ(read_findings(path).findings.at(0).file, source);
  const std::string absolute = sarif({{"byteOffset", 0}, {"byteLength", 3}}, "new",
                                     "file://" + folder_.string() + "/a%20b/net.cpp");
  EXPECT_EQ(read_findings(absolute).findings.at(0).file, source);
}

TEST_F(FindingsTest, keeps_a_finding_whose_fix_does_not_fit_and_says_why) {
  write("net.cpp", "short");
  const FindingsFile file = read_findings(sarif({{"byteOffset", 400}, {"byteLength", 3}}, "new"));
  EXPECT_TRUE(file.findings.at(0).edits.empty());
  EXPECT_NE(file.findings.at(0).unusable_fix.find("changed since the analysis"), std::string::npos);
}

TEST_F(FindingsTest, applies_no_fix_to_a_file_that_has_moved_on) {
  write("net.cpp", "// new\nint a;\n");
  const FindingsFile file =
      read_findings(sarif({{"byteOffset", 0}, {"byteLength", 3}, {"startLine", 2}}, "new"));
  EXPECT_TRUE(file.findings.at(0).edits.empty());
  EXPECT_NE(file.findings.at(0).unusable_fix.find("changed since the analysis"), std::string::npos);
}

TEST_F(FindingsTest, refuses_what_is_no_sarif_with_what_to_do) {
  EXPECT_NE(complaint((folder_ / "none.sarif").string()).find("cannot read"), std::string::npos);
  EXPECT_NE(complaint(write("a.sarif", "{\"version\": ")).find("is not JSON"), std::string::npos);
  EXPECT_NE(complaint(write("b.sarif", "[]")).find("no SARIF 2.1.0"), std::string::npos);
  EXPECT_NE(complaint(write("c.sarif", R"({"version":"2.0.0","runs":[]})")).find("no SARIF 2.1.0"),
            std::string::npos);
  EXPECT_NE(complaint(write("d.sarif", R"({"version":"2.1.0","runs":[{"results":[{}]}]})"))
                .find("runs[0].results[0]"),
            std::string::npos);
  EXPECT_EQ(complaint(write("e.sarif", R"({"version":"2.1.0","runs":[]})")), "");
}

TEST_F(FindingsTest, leaves_out_one_fix_also_where_two_share_an_edit) {
  const std::string net = write("net.cpp", "abcdef");
  const std::vector<Finding> findings = {with_edits({{net, 0, 1, "A"}, {net, 5, 1, "F"}}),
                                         with_edits({{net, 0, 1, "A"}, {net, 3, 1, "D"}})};
  EXPECT_EQ(apply_fixes(findings, {0, 1}).at(net), "AbcDeF");
  EXPECT_EQ(apply_fixes(findings, {0, 1}, 0).at(net), "abcDef");
  EXPECT_EQ(apply_fixes(findings, {0, 1}, 1).at(net), "abcdeF");
}

TEST_F(FindingsTest, gives_up_the_later_of_two_fixes_that_overlap) {
  const std::vector<Finding> findings = {with_edits({{"net.cpp", 0, 4, "x"}}),
                                         with_edits({{"net.cpp", 3, 4, "y"}}),
                                         with_edits({{"net.cpp", 4, 0, "z"}})};
  std::map<size_t, std::string> conflicts;
  EXPECT_EQ(compatible(findings, {0, 1, 2}, conflicts), (std::vector<size_t>{0, 2}));
  ASSERT_EQ(conflicts.count(1), 1U);
  EXPECT_NE(conflicts[1].find("overlaps"), std::string::npos);
}

TEST_F(FindingsTest, inserts_before_what_is_replaced_at_the_same_place) {
  const std::string net = write("net.cpp", "abc");
  EXPECT_EQ(apply_fixes({with_edits({{net, 1, 1, "B"}, {net, 1, 0, "+"}})}, {0}).at(net), "a+Bc");
}

TEST_F(FindingsTest, writes_files_whole_or_not_at_all) {
  EXPECT_THROW(write_atomically((folder_ / "no" / "f").string(), "x"), UserError);
  const std::string path = write("f", "one");
  write_atomically(path, "two");
  EXPECT_EQ(read_file(path), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1); // no remains
}

TEST(CompileCommand, keeps_the_users_flags_and_drops_what_confirm_decides) {
  const std::vector<std::string> flags =
      user_flags({"-DX=1", "-Iinclude", "-isystem", "/opt/lib/include", "-O3", "-g", "-std=c++17",
                  "-Werror", "-MD", "-MF", "x.d", "-o", "x.o", "-c", "net.cpp", "-Winvalid-pch",
                  "-include", "/b/cmake_pch.hxx", "-fopenmp"},
                 "/src/net.cpp", "/src");
  EXPECT_EQ(flags, (std::vector<std::string>{"-DX=1", "-I", "/src/include", "-isystem",
                                             "/opt/lib/include", "-std=c++17", "-fopenmp"}));
}

TEST(CompileCommand, is_split_as_a_shell_does) {
  EXPECT_EQ(shell_words(R"(a  'b c'"d\"e" f\ g '' -DX=\"y\" '\n')"),
            (std::vector<std::string>{"a", "b cd\"e", "f g", "", "-DX=\"y\"", "\\n"}));
}

TEST_F(FindingsTest, reads_targets_and_flags_from_a_compile_database) {
  const std::string command =
      "/usr/bin/ccache c++ -DX='a b' -I../inc -MD -o CMakeFiles/net.dir/a.cpp.o -c ../a.cpp";
  write("build/compile_commands.json", nlohmann::json{{{"directory", (folder_ / "build").string()},
                                                       {"file", "../a.cpp"},
                                                       {"command", command}},
                                                      {{"directory", (folder_ / "build").string()},
                                                       {"file", "../b.cpp"},
                                                       {"arguments", {"c++", "-c", "../b.cpp"}},
                                                       {"output", "CMakeFiles/net.dir/b.cpp.o"}}}
                                           .dump());
  const CompileDatabase database((folder_ / "build").string());
  const std::string a = folder_ / "a.cpp";
  ASSERT_NE(database.find(a), nullptr);
  EXPECT_EQ(database.find(a)->flags,
            (std::vector<std::string>{"-DX=a b", "-I", (folder_ / "inc").string()}));
  EXPECT_EQ(database.targets(),
            (std::vector<std::vector<std::string>>{{a, (folder_ / "b.cpp").string()}}));
  EXPECT_THROW(CompileDatabase((folder_ / "none").string()), UserError);
}

TEST(Process, kills_the_whole_group_of_what_takes_too_long) {
  const auto start = std::chrono::steady_clock::now();
  Command hang;
  hang.arguments = {"sh", "-c", "sleep 60 & sleep 60"};
  hang.timeout = std::chrono::seconds(1);
  const Exit exit = run_all({hang}, 1).at(0);
  EXPECT_TRUE(exit.timed_out);
  EXPECT_EQ(told(exit, hang), "took more than 1 s (--timeout)");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(Process, tells_how_a_command_ended) {
  const auto run = [](std::vector<std::string> arguments) {
    Command command;
    command.arguments = std::move(arguments);
    const Exit exit = run_all({command}, 1).at(0);
    return exit.ok() ? "ok" : told(exit, command);
  };
  EXPECT_EQ(run({"true"}), "ok");
  EXPECT_EQ(run({"sh", "-c", "exit 3"}), "ended with exit status 3");
  EXPECT_NE(run({"sh", "-c", "kill -SEGV $$"}).find("crashed"), std::string::npos);
  EXPECT_NE(run({"/no/such/program"}).find("cannot run /no/such/program"), std::string::npos);
}

TEST(Process, holds_a_command_to_its_memory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer's shadow memory is larger than any limit";
#endif
  Command greedy;
  greedy.arguments = {"python3", "-c", "x = bytearray(1 << 30)"};
  EXPECT_TRUE(run_all({greedy}, 1).at(0).ok());
  greedy.memory = 256U << 20;
  EXPECT_FALSE(run_all({greedy}, 1).at(0).ok());
}
