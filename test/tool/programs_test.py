"""A program is more than a file: which sources are read together, and what becomes of it."""
import unittest

from tool_testing import HOSTS, ToolTest

HEADER = """#pragma once
#include <torch/torch.h>
struct Net : torch::nn::Module {
  Net();
  torch::Tensor forward(torch::Tensor x);
  torch::nn::Linear fc{nullptr};
};
"""
# The defect is in one source, ...
MODEL = """#include "net.h"
static torch::Tensor squash(torch::Tensor x) { return torch::relu(x); }
Net::Net() { fc = register_module("fc", torch::nn::Linear(3, 1)); }
torch::Tensor Net::forward(torch::Tensor x) {
  auto h = squash(fc->forward(x));
  h.mul_(2);
  return h;
}
"""
# ... and the backward that it breaks in another.
TRAIN = """#include "net.h"
int main() {
  Net net;
  torch::optim::SGD optimizer(net.parameters(), 0.1);
  optimizer.zero_grad();
  net.forward(torch::randn({4, 3})).sum().backward();
  optimizer.step();
}
"""
ELSE = "#include <torch/torch.h>\nint main() { return 0; }\n"


class Programs(ToolTest):
    def groups(self, run):
        return sorted(sorted(group) for group in run["properties"]["sources"])

    def write_program(self):
        self.write("net.h", HEADER)
        self.write("net.cpp", MODEL)
        self.write("train.cpp", TRAIN)

    def test_a_folder_is_read_as_the_programs_in_it(self):
        self.write_program()
        self.write("other.cpp", ELSE)
        run, process = self.sarif(".")
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"], ["other.cpp"]])
        self.assertEqual(process.returncode, 1)
        [result] = run["results"]
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "net.cpp")
        self.assertEqual(place["region"]["startLine"], 6)

    def test_files_named_together_are_read_together(self):
        self.write_program()
        run, _ = self.sarif("train.cpp", "net.cpp")
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"]])

    def test_a_database_tells_the_targets(self):
        self.write_program()
        self.write("other.cpp", ELSE)
        build = self.database([("app", "net.cpp"), ("app", "train.cpp"), ("tool", "other.cpp")])
        run, _ = self.sarif("-p", build)
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"], ["other.cpp"]])
        self.assertEqual(len(run["results"]), 1)

    def test_a_library_goes_with_the_program_that_uses_it(self):
        self.write_program()
        build = self.database([("net", "net.cpp"), ("app", "train.cpp")])
        run, _ = self.sarif("-p", build)
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"]])

    def test_a_file_is_read_with_its_program_but_only_it_is_reported(self):
        self.write_program()
        self.database([("app", "net.cpp"), ("app", "train.cpp")])
        run, process = self.sarif("train.cpp")
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"]])
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.sarif("net.cpp")[1].returncode, 1)

    def test_a_header_is_read_in_the_programs_that_include_it(self):
        self.write("net.h", HEADER + MODEL.split("\n", 1)[1].replace("Net::Net", "inline Net::Net")
                   .replace("torch::Tensor Net::", "inline torch::Tensor Net::"))
        self.write("train.cpp", TRAIN)
        self.database([("app", "train.cpp")])
        run, process = self.sarif("net.h")
        self.assertEqual(self.groups(run), [["train.cpp"]])
        self.assertEqual(process.returncode, 1, process.stderr)

    def test_sources_that_do_not_go_together_are_read_alone(self):
        self.write_program()
        self.write("net.h", HEADER + "torch::Tensor more(torch::Tensor x);\n")
        # A second `squash` of its own, and a macro that would break what comes after it.
        self.write("more.cpp", '#include "net.h"\n#define main broken +\n'
                   "static torch::Tensor squash(torch::Tensor x) { return torch::tanh(x); }\n"
                   "torch::Tensor more(torch::Tensor x) { return squash(x); }\n")
        run, process = self.sarif(".", "--verbose")
        self.assertIn(["more.cpp"], self.groups(run))
        self.assertIn("do not go together", process.stderr)
        self.assertEqual(process.returncode, 1, "split for good reason, nothing is wrong")
        self.assertEqual([r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                          for r in run["results"]], ["net.cpp"])

    def test_a_file_named_alone_is_read_with_what_defines_its_functions(self):
        self.write_program()
        self.write("other.cpp", ELSE)
        run, process = self.sarif("train.cpp")
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"]])
        self.assertEqual(run["results"], [], "net.cpp was not asked about")
        run, process = self.sarif("net.cpp")
        self.assertEqual(self.groups(run), [["net.cpp", "train.cpp"]])
        self.assertEqual(process.returncode, 1)

    def test_include_folders_are_guessed(self):
        self.write("project/README.md", "")
        self.write("project/include/model/net.h", HEADER)
        self.write("project/src/model/net.cpp", MODEL.replace("net.h", "model/net.h"))
        self.write("project/app/train.cpp", TRAIN.replace('"net.h"', "<model/net.h>"))
        run, process = self.sarif("project")
        self.assertEqual(self.groups(run), [["project/app/train.cpp", "project/src/model/net.cpp"]])
        self.assertEqual(process.returncode, 1, process.stderr)

    def test_a_guess_hides_no_header_of_the_system(self):
        self.write("project/README.md", "")
        self.write("project/own/string.h", "#error this is not the system's\n")
        self.write("project/app/main.cpp", "#include <string.h>\n" + ELSE)
        self.assertEqual(self.check("project").returncode, 0)

    def test_of_two_headers_as_near_neither_is_taken(self):
        self.write("project/README.md", "")
        for variant in "ab":
            self.write(f"project/{variant}/net.h", HEADER)
        self.write("project/app/train.cpp", TRAIN)
        process = self.check("project")
        self.assertIn("'net.h' not found", process.stderr)
        self.assertEqual(process.returncode, 2)

    def test_programs_of_one_project_keep_to_themselves(self):
        # Headers and functions of equal names, and a helper that both use.
        self.write("project/README.md", "")
        self.write("project/utils/draw.h", "#pragma once\nvoid draw();\n")
        self.write("project/utils/draw.cpp", '#include "draw.h"\nvoid draw() {}\n')
        for name, text in (("one", MODEL), ("two", MODEL.replace("h.mul_(2)", "h = h.mul(2)"))):
            self.write(f"project/{name}/net.h", HEADER)
            self.write(f"project/{name}/net.cpp", text)
            self.write(f"project/{name}/train.cpp", '#include "draw.h"\n' + TRAIN)
        run, process = self.sarif("project")
        self.assertEqual(self.groups(run), [
            [f"project/{name}/net.cpp", f"project/{name}/train.cpp", "project/utils/draw.cpp"]
            for name in ("one", "two")])
        self.assertEqual([r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                          for r in run["results"]], ["project/one/net.cpp"])

    def test_cmake_lists_tell_the_targets(self):
        self.write_program()
        (self.folder / "net.h").rename(self.write("model/headers/net.h", ""))
        (self.folder / "net.cpp").rename(self.write("model/net.cpp", ""))
        # The defect is there only as the target defines it.
        text = MODEL.replace("  h.mul_(2);", "#if SCALE == 2\n  h.mul_(2);\n#endif")
        self.write("model/net.cpp", text)
        self.write("CMakeLists.txt", """
            project(demo)  # comment
            set(PARTS train.cpp)
            add_executable(${PROJECT_NAME} ${PARTS})
            add_subdirectory(model)
            target_link_libraries(${PROJECT_NAME} PRIVATE net "${TORCH_LIBRARIES}")
        """)
        self.write("model/CMakeLists.txt", """
            file(GLOB sources *.cpp)
            add_library(net STATIC ${sources})
            target_include_directories(net PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/headers ${UNKNOWN})
            target_compile_definitions(net PUBLIC SCALE=2)
        """)
        run, process = self.sarif(".")
        self.assertEqual(self.groups(run), [["model/net.cpp", "train.cpp"]])
        self.assertEqual(process.returncode, 1, process.stderr)

    def test_hidden_and_build_folders_are_left_out(self):
        self.write("main.cpp", ELSE)
        self.write(".cache/old.cpp", "syntax error")
        self.write("out/CMakeCache.txt", "")
        self.write("out/generated.cpp", "syntax error")
        run, process = self.sarif(".")
        self.assertEqual(self.groups(run), [["main.cpp"]])
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_the_order_of_processors_does_not_show(self):
        self.write_program()
        self.write("other.cpp", ELSE)
        self.assertEqual(self.check(".", "--format=sarif", "-j1").stdout,
                         self.check(".", "--format=sarif", "-j4").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
