"""The module in stock clang-tidy: what is loaded, how it is configured, where it refuses."""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest

from hosts import Hosts, diagnostics

HOSTS = Hosts(sys.argv.pop(1))
DEFECT = """#include <torch/torch.h>

void train(torch::Tensor x) {
  auto weight = torch::randn({3}, torch::requires_grad());
  auto h = torch::relu(weight * x);
  h.mul_(2);%s
  h.sum().backward();
}
"""
CHECK = "torch-inplace-autograd"


class Module(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=HOSTS.work)
        self.addCleanup(self.folder.cleanup)
        self.source = pathlib.Path(self.folder.name) / "train.cpp"

    def tidy(self, text, *args, clang_tidy=None, checks=(), environment=None):
        self.source.write_text(text)
        return HOSTS.run([clang_tidy or HOSTS.clang_tidy, f"--load={HOSTS.module}", *checks, *args,
                          self.source, "--", *HOSTS.flags(), *HOSTS.with_pch()],
                         cwd=self.folder.name, env=environment)

    def test_registers_every_check_that_has_a_page(self):
        pages = {p.stem for p in (pathlib.Path(HOSTS.source) / "checks").glob("torch-*.md")}
        # With every symbol resolved at once, one that clang-tidy does not have would show here.
        run = self.tidy("", "--list-checks", checks=["--checks=-*,torch-*"],
                        environment={**os.environ, "LD_BIND_NOW": "1"})
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual({l.strip() for l in run.stdout.splitlines()[1:] if l.strip()}, pages)

    def test_links_no_llvm(self):
        needed = HOSTS.run(["readelf", "-d", HOSTS.module]).stdout
        self.assertIn("NEEDED", needed)
        self.assertNotIn("libLLVM", needed)
        self.assertNotIn("libclang", needed)

    def test_is_configured_by_a_clang_tidy_file(self):
        (self.source.parent / ".clang-tidy").write_text(
            f"Checks: '-*,{CHECK}'\nWarningsAsErrors: '{CHECK}'\n")
        run = self.tidy(DEFECT % "")
        self.assertIn(f"6:5: error: ", run.stdout)
        self.assertIn(f"[{CHECK},-warnings-as-errors]", run.stdout)
        self.assertEqual(run.returncode, 1)
        (self.source.parent / ".clang-tidy").write_text("Checks: '-*,torch-*,-torch-inplace-*'\n")
        self.assertNotIn(CHECK, self.tidy(DEFECT % "").stdout)

    def test_heeds_nolint(self):
        checks = ["--checks=-*,torch-*"]
        self.assertIn(CHECK, self.tidy(DEFECT % "", checks=checks).stdout)
        self.assertNotIn(CHECK, self.tidy(DEFECT % " // NOLINT", checks=checks).stdout)
        self.assertNotIn(CHECK, self.tidy(DEFECT % f" // NOLINT({CHECK})", checks=checks).stdout)
        self.assertIn(CHECK, self.tidy(DEFECT % " // NOLINT(other)", checks=checks).stdout)

    def test_says_which_option_is_wrong(self):
        run = self.tidy("", "--config={CheckOptions: {torch-data-mutation.PathBudget: many}}",
                        checks=["--checks=-*,torch-data-mutation"])
        self.assertIn("'many' is no value for the option 'torch-data-mutation.PathBudget'",
                      run.stdout + run.stderr)

    def test_bounds_what_it_follows_and_says_so_once(self):
        # Two to the power of a hundred ways.
        choices = "".join(f"  if (flags[{i}]) h = torch::relu(h);\n" for i in range(100))
        ways = DEFECT.replace("torch::Tensor x", "torch::Tensor x, bool *flags").replace("  h.mul_(2);", choices + "  h.mul_(2);")
        run = self.tidy(ways % "", checks=["--checks=-*,torch-*"])
        self.assertIn(CHECK, run.stdout)
        self.assertEqual(run.stderr.count("torch-tidy: Not every path through 'train' ("), 1, run.stderr)
        self.assertNotIn("Not every path", self.tidy(DEFECT % "", checks=["--checks=-*,torch-*"]).stderr)

    def test_takes_the_nearest_facts_and_says_so_once(self):
        include = HOSTS.libtorch_of_version(self.folder.name, "2.9.0")
        other = self.source.with_name("other.cpp")
        for source in (self.source, other):
            source.write_text(DEFECT % "")
        run = HOSTS.run([HOSTS.clang_tidy, f"--load={HOSTS.module}", "--checks=-*,torch-*", self.source, other,
                         "--", *HOSTS.libtorch_by("-isystem", include)], cwd=self.folder.name)
        self.assertIn("train.cpp:6:5: warning: ", run.stdout)
        self.assertIn("other.cpp:6:5: warning: ", run.stdout)
        sentence = "torch-tidy: No facts were measured on LibTorch 2.9.0; those of 2.6.0 are used instead.\n"
        self.assertEqual(run.stderr.count(sentence), 1, run.stderr)
        self.assertEqual(run.stderr.count("No facts"), 1, run.stderr)

    def test_knows_libtorch_by_where_it_lies(self):
        # Nothing says that its headers are not the user's: not -isystem, not an absolute path.
        self.source.write_text(DEFECT % "")
        (self.source.parent / "libtorch").symlink_to(HOSTS.libtorch_include())
        said = []
        for flags in ([*HOSTS.flags(), *HOSTS.with_pch()], HOSTS.libtorch_by("-I", "libtorch")):
            run = HOSTS.run([HOSTS.clang_tidy, f"--load={HOSTS.module}", "--checks=-*,torch-*",
                             "--header-filter=.*", self.source, "--", *flags], cwd=self.folder.name)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
            said.append(diagnostics(run.stdout, False))
        self.assertTrue(said[0][0].startswith("train.cpp:6:5: warning: "), said[0])
        self.assertEqual(said[1], said[0])

    def test_refuses_another_llvm_in_one_sentence(self):
        others = [p for v in ("19", "22") if v != HOSTS.llvm
                  for p in [shutil.which(f"clang-tidy-{v}")] if p]
        if not others:
            self.skipTest("no other clang-tidy is installed")
        run = self.tidy("", "--list-checks", clang_tidy=others[0], checks=["--checks=-*,torch-*"])
        self.assertEqual(run.returncode, 1)
        self.assertIn(f"this module is built for LLVM {HOSTS.llvm}.", run.stderr)
        self.assertIn(f"use clang-tidy-{HOSTS.llvm}", run.stderr)
        self.assertEqual(len(run.stderr.strip().splitlines()), 1, run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
