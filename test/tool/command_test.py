"""The command line of torch-tidy: exit statuses, what it says about bad input, what it prints."""
import errno
import json
import os
import pty
import re
import subprocess
import unittest

from tool_testing import CHECK, CLEAN, DEFECT, HOSTS, ToolTest


class ExitStatus(ToolTest):
    def test_is_0_without_findings(self):
        run = self.check(self.write("clean.cpp", CLEAN))
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("1 source: 0 definite, 0 possible", run.stderr)

    def test_is_1_with_a_definite_finding(self):
        run = self.check(self.write("defect.cpp", DEFECT))
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("defect.cpp:6:5: error: ", run.stderr)
        self.assertIn(f"[definite: throws] [{CHECK}]", run.stderr)
        self.assertEqual(run.stdout, "", "text is for people and belongs to standard error")

    def test_follows_fail_on(self):
        source = self.write("defect.cpp", DEFECT)
        self.assertEqual(self.check(source, "--fail-on=never").returncode, 0)
        self.assertEqual(self.check(source, "--fail-on=warning").returncode, 1)

    def test_is_2_for_a_source_that_does_not_parse_even_with_findings(self):
        run = self.check(self.write("broken.cpp", DEFECT + "int f() { return 1 }\n"))
        self.assertEqual(run.returncode, 2)
        self.assertIn("broken.cpp does not parse: broken.cpp:9:19: expected ';'", run.stderr)
        self.assertIn("broken.cpp:6:5: error: ", run.stderr)


class BadInput(ToolTest):
    def assertSays(self, run, text):
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn(text, run.stderr)
        lines = [l for l in run.stderr.splitlines() if l.strip()]
        self.assertEqual(len(lines), 1, "one message: " + run.stderr)
        self.assertEqual(run.stdout, "")

    def test_missing_file(self):
        self.assertSays(self.check("nowhere.cpp"), "no such file or folder: 'nowhere.cpp'")

    def test_folder_without_sources(self):
        (self.folder / "empty").mkdir()
        self.assertSays(self.check("empty"), "no C++ source in the folder")

    def test_nothing_to_check(self):
        self.write(".hidden/x", "")
        run = HOSTS.run([HOSTS.torch_tidy, "check"], cwd="/")
        self.assertSays(run, "nothing to check: name files or folders, or a compile database")

    def test_build_folder_without_database(self):
        (self.folder / "build").mkdir()
        self.assertSays(self.check("-p", "build"), "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")

    def test_unknown_check(self):
        source = self.write("clean.cpp", CLEAN)
        self.assertSays(self.check(source, "--checks=torch-nonsense"),
                        "unknown check 'torch-nonsense': the checks are torch-")

    def test_unknown_format(self):
        source = self.write("clean.cpp", CLEAN)
        self.assertSays(self.check(source, "--format=html"),
                        "unknown format 'html': the formats are text and sarif")

    def test_unknown_level(self):
        source = self.write("clean.cpp", CLEAN)
        self.assertSays(self.check(source, "--fail-on=fatal"), "'fatal' is no level")

    def test_unknown_option(self):
        run = self.check("--frobnicate")
        self.assertEqual(run.returncode, 2)
        self.assertIn("Unknown command line argument '--frobnicate'", run.stderr)

    def test_unknown_command(self):
        run = self.torch_tidy("frobnicate")
        self.assertEqual(run.returncode, 2)
        self.assertIn("frobnicate", run.stderr)

    def test_folder_without_libtorch(self):
        source = self.write("clean.cpp", CLEAN)
        run = self.torch_tidy("check", "--torch", str(self.folder), source)
        self.assertSays(run, "no LibTorch in")

    def test_no_libtorch_in_the_flags_given(self):
        source = self.write("clean.cpp", CLEAN)
        run = self.torch_tidy("check", source, "--", "-std=c++17", "-nostdinc")
        self.assertEqual(run.returncode, 2)
        self.assertIn("LibTorch's header 'torch/torch.h' was not found: name LibTorch with --torch",
                      run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 2, "the message and the closing line")

    def test_output_that_cannot_be_written(self):
        source = self.write("clean.cpp", CLEAN)
        run = self.check(source, "--format=sarif", "--output=nowhere/findings.sarif")
        self.assertSays(run, "cannot write 'nowhere/findings.sarif'")

    def test_a_failed_run_leaves_the_output_as_it_was(self):
        self.write("findings.sarif", "before")
        self.check("nowhere.cpp", "--format=sarif", "--output=findings.sarif")
        self.assertEqual((self.folder / "findings.sarif").read_text(), "before")


class Understanding(ToolTest):
    def test_goes_on_without_a_third_party_header_and_says_so(self):
        text = DEFECT.replace("\n\n", "\n#include <opencv2/opencv.hpp>\n", 1)
        run = self.check(self.write("image.cpp", text))
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("image.cpp was analysed as far as it was understood: "
                      "'opencv2/opencv.hpp' not found", run.stderr)
        self.assertIn("image.cpp:6:5: error: ", run.stderr)

    def test_takes_what_it_did_not_understand_neither_for_clean_nor_for_a_defect(self):
        # Whether scale() leaves h alone, and whether report() zeroes the gradients, nobody knows.
        text = CLEAN.replace("\n\n", "\n#include <vision/vision.h>\n", 1)
        text = text.replace("  h = h.mul(2);", "  vision::Image image = vision::scale(h);\n  h.mul_(2);")
        source = self.write("image.cpp", text)
        run = self.check(source)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("'vision/vision.h' not found", run.stderr)
        self.assertIn("0 definite, 0 possible, 1 understood only in part", run.stderr)
        self.assertEqual(self.check(source, "--accept-incomplete").returncode, 0)

    def test_says_once_what_many_sources_lack(self):
        for name in "abcd":
            self.write(f"{name}.cpp", "#include <torch/torch.h>\n#include <vision/vision.h>\n")
        run = self.check(".")
        self.assertEqual(run.returncode, 2)
        self.assertIn("4 sources were analysed as far as they were understood, since headers were "
                      "not found: 'vision/vision.h' (4)", run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 2, "and the closing line")

    def test_takes_flags_after_two_dashes(self):
        source = self.write("defect.cpp", "#ifdef WITH_DEFECT\n" + DEFECT + "#endif\n")
        flags = [*HOSTS.flags(), *HOSTS.with_pch()]
        self.assertEqual(self.torch_tidy("check", source, "--", *flags).returncode, 0)
        self.assertEqual(
            self.torch_tidy("check", source, "--", *flags, "-DWITH_DEFECT").returncode, 1)

    def test_takes_extra_arguments_on_both_ends(self):
        source = self.write("defect.cpp", "#if LAST == 2\n" + DEFECT + "#endif\n")
        run = self.check(source, "--extra-arg=-DLAST=2", "--extra-arg-before=-ULAST")
        self.assertEqual(run.returncode, 1, run.stderr)

    def test_ignores_flags_that_only_gcc_knows(self):
        source = self.write("defect.cpp", DEFECT)
        run = self.check(source, "--extra-arg=-fno-var-tracking-everything-at-all")
        self.assertEqual(run.returncode, 1, run.stderr)

    def test_needs_no_precompiled_header_and_finds_libtorch_itself(self):
        run = self.check(self.write("defect.cpp", DEFECT), "--verbose", pch=False)
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertIn("Read 1 source in ", run.stderr)

    def test_takes_the_nearest_facts_and_says_so_once(self):
        include = HOSTS.libtorch_of_version(self.folder, "2.9.0")
        sources = [self.write(name, DEFECT) for name in ("one.cpp", "two.cpp")]
        run = self.torch_tidy("check", *sources, "--", *HOSTS.libtorch_by("-isystem", include))
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(run.stderr.count("6:5: error: "), 2, run.stderr)
        sentence = "No facts were measured on LibTorch 2.9.0; those of 2.6.0 are used instead."
        self.assertEqual(run.stderr.count(sentence), 1, run.stderr)

    def test_knows_libtorch_by_where_it_lies(self):
        # Nothing says that its headers are not the user's: not -isystem, not an absolute path.
        source = self.write("defect.cpp", DEFECT)
        (self.folder / "libtorch").symlink_to(HOSTS.libtorch_include())
        said = []
        for flags in (HOSTS.flags(), HOSTS.libtorch_by("-I"), HOSTS.libtorch_by("-I", "../libtorch")):
            build = self.folder / "build"
            build.mkdir(exist_ok=True)
            (build / "compile_commands.json").write_text(json.dumps([{
                "directory": str(build), "file": str(source),
                "arguments": ["/usr/bin/c++", *flags, "-c", str(source)]}]))
            run = self.torch_tidy("check", "-p", "build", "--stats")
            self.assertEqual(run.returncode, 1, run.stderr)
            self.assertRegex(run.stderr, r"Entry points analysed: +1\n")
            said.append([line for line in run.stderr.splitlines() if "Analysis, parsing apart" not in line])
        self.assertIn("defect.cpp:6:5: error: ", said[0][0])
        self.assertEqual(said[1], said[0])
        self.assertEqual(said[2], said[0])

    def test_follows_a_generic_lambda_into_an_algorithm(self):
        # Under C++17 nothing but the algorithm's body says with which type the lambda is called.
        source = self.write("find.cpp", """#include <torch/torch.h>
#include <algorithm>

void train() {
  torch::Tensor y = torch::ones(3, torch::requires_grad()).sigmoid();
  std::vector<std::pair<int, torch::Tensor>> v{{0, torch::ones(3)}, {1, y}};
  auto it = std::find_if(v.begin(), v.end(), [](const auto &p) { return p.first == 1; });
  if (it != v.end()) it->second.mul_(2);
  y.sum().backward();
}
""")
        run = self.torch_tidy("check", source, "--extra-arg=-std=c++17")
        self.assertIn("find.cpp:8:33: error: ", run.stderr)

    def test_a_header_is_read_as_cpp(self):
        self.assertEqual(self.check(self.write("net.h", DEFECT)).returncode, 1)


class Choosing(ToolTest):
    def test_runs_the_checks_asked_for(self):
        source = self.write("defect.cpp", DEFECT)
        self.assertEqual(self.check(source, f"--checks={CHECK}").returncode, 1)
        self.assertEqual(self.check(source, "--checks=torch-data-*").returncode, 0)
        self.assertEqual(self.check(source, f"--checks=-{CHECK}").returncode, 0)

    def test_heeds_nolint_as_clang_tidy_does(self):
        for text in (DEFECT.replace("(2);", "(2); // NOLINT"),
                     DEFECT.replace("(2);", f"(2); // NOLINT({CHECK})"),
                     DEFECT.replace("  h.mul_", f"  // NOLINTNEXTLINE(torch-*)\n  h.mul_"),
                     "// NOLINTBEGIN\n" + DEFECT + "// NOLINTEND\n"):
            with self.subTest(text):
                run = self.check(self.write("defect.cpp", text))
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn("1 silenced by NOLINT", run.stderr)
        other = DEFECT.replace("(2);", "(2); // NOLINT(bugprone-*)")
        self.assertEqual(self.check(self.write("defect.cpp", other)).returncode, 1)

    def test_heeds_the_checks_of_clang_tidy_files(self):
        source = self.write("defect.cpp", DEFECT)
        self.write(".clang-tidy", f"Checks: '-*,bugprone-*,-{CHECK}'\n")
        self.assertEqual(self.check(source).returncode, 0)
        # "-*" is about clang-tidy's checks: a project that lists its own still gets ours.
        self.write(".clang-tidy", "Checks: '-*,bugprone-*'\n")
        self.assertEqual(self.check(source).returncode, 1)


class Printing(ToolTest):
    def test_colours_only_where_asked_or_on_a_terminal(self):
        source = self.write("defect.cpp", DEFECT)
        self.assertNotIn("\x1b[", self.check(source).stderr)
        self.assertIn("\x1b[", self.check(source, "--color").stderr)
        on_a_terminal = self.on_a_terminal(source)
        self.assertRegex(on_a_terminal, "\x1b\\[[0-9;]*merror: ")
        self.assertIn("[torch-inplace-autograd]", re.sub("\x1b\\[[0-9;]*m", "", on_a_terminal))
        self.assertNotIn("\x1b[", self.on_a_terminal(source, "--color=false"))

    def on_a_terminal(self, *args):
        """What `check` writes where a person looks at it."""
        mine, its = pty.openpty()
        extra = [f"--extra-arg={flag}" for flag in HOSTS.with_pch()]
        with subprocess.Popen([str(a) for a in (HOSTS.torch_tidy, "check", *HOSTS.torch_args(), *extra, *args)],
                              cwd=self.folder, stdin=its, stdout=its, stderr=its,
                              env={**os.environ, "TERM": "xterm-256color"}):
            os.close(its)
            text = b""
            while True:
                try:
                    more = os.read(mine, 4096)
                except OSError as error:  # the end, as Linux tells it
                    if error.errno != errno.EIO:
                        raise
                    more = b""
                if not more:
                    break
                text += more
        os.close(mine)
        return text.decode()

    def test_statistics(self):
        run = self.check(self.write("defect.cpp", DEFECT), "--stats")
        self.assertRegex(run.stderr, r"Entry points analysed: +[1-9]")
        self.assertRegex(run.stderr, r"of which reach backward\(\): +[1-9]")

    def test_statistics_tell_each_file_how_much_was_modelled(self):
        self.write("helper.h", "#include <torch/torch.h>\ntorch::Tensor unknown(torch::Tensor);\n"
                   "inline torch::Tensor helper(torch::Tensor x) { return unknown(x) + 1; }\n")
        source = self.write("model.cpp", '#include "helper.h"\n' + DEFECT.replace("h.mul_(2);", "helper(h);"))
        run = self.check(source, "--stats")
        self.assertRegex(run.stderr, r"\n +(\d+) of +\d+ \([\d.]+ %\)  all files\n")
        self.assertRegex(run.stderr, r"\n +0 of +2 \(0.0 %\)  .*helper\.h\n")
        self.assertRegex(run.stderr, r"\n +(\d+) of +\d+ \([\d.]+ %\)  .*model\.cpp\n")

    def test_bounds_what_it_follows_and_says_so(self):
        # Two to the power of a hundred ways.
        choices = "".join(f"  if (flags[{i}]) h = torch::relu(h);\n" for i in range(100))
        source = self.write("ways.cpp", DEFECT.replace("torch::Tensor x", "torch::Tensor x, bool *flags")
                            .replace("  h.mul_(2);\n", choices + "  h.mul_(2);\n"))
        run = self.check(source, "--stats", "--verbose")
        self.assertIn("[torch-inplace-autograd]", run.stderr)
        self.assertRegex(run.stderr, r"Not every path through 'train' \(.*ways\.cpp:3:6\) was followed")
        self.assertRegex(run.stderr, r"budget used up in 1 entry points")
        nodes = int(re.search(r"nodes evaluated: +(\d+)", run.stderr)[1])
        self.assertLess(nodes, 1000000)
        self.assertIn("; 1 entry point was not followed on every path (--verbose says which)", run.stderr)

    def test_says_nothing_of_paths_where_it_followed_them_all(self):
        run = self.check(self.write("defect.cpp", DEFECT), "--stats", "--verbose")
        self.assertNotIn("Not every path", run.stderr)
        self.assertNotIn("not followed on every path", run.stderr)
        self.assertRegex(run.stderr, r"budget used up in 0 entry points")

    def test_explains_every_check_with_its_page(self):
        listed = self.torch_tidy("explain", "torch-nonsense")
        self.assertEqual(listed.returncode, 2)
        names = [l.strip() for l in listed.stderr.splitlines() if l.startswith("  torch-")]
        self.assertGreaterEqual(len(names), 4)
        for name in names:
            page = self.torch_tidy("explain", name)
            self.assertEqual(page.returncode, 0)
            with open(os.path.join(HOSTS.source, "checks", name + ".md")) as file:
                self.assertEqual(page.stdout, file.read())

    def test_explains_a_line(self):
        self.write("defect.cpp", DEFECT)
        flags = ["--", *HOSTS.flags(), *HOSTS.with_pch()]
        run = self.torch_tidy("explain", "defect.cpp:6", *flags)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("defect.cpp:6:5: error: ", run.stdout)
        self.assertIn("throws: the operation itself or backward() raises an error", run.stdout)
        self.assertIn(f"# {CHECK}", run.stdout)
        run = self.torch_tidy("explain", "defect.cpp:1", *flags)
        self.assertEqual(run.returncode, 2)
        self.assertIn("no finding touches defect.cpp:1; there are findings at line 6", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
