"""--fix: byte-exact, whole repairs, the user's files."""
import os
import unittest

from tool_testing import DEFECT, HOSTS, ToolTest

HEADER = "#pragma once\n" + DEFECT.replace("void train", "inline void train")


class Fix(ToolTest):
    def test_changes_the_bytes_of_the_repair_and_no_others(self):
        for name, ending in (("unix", "\n"), ("dos", "\r\n")):
            with self.subTest(name):
                source = self.folder / f"{name}.cpp"
                text = DEFECT.replace("  auto h", "  // ünïcödé \t trailing  \n  auto h")
                source.write_bytes(text.replace("\n", ending).encode())
                os.chmod(source, 0o764)
                run = self.check(source, "--fix")
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn("1 repaired", run.stderr)
                before = text.replace("\n", ending).split(ending)
                after = source.read_bytes().decode().split(ending)
                changed = [i for i, (a, b) in enumerate(zip(before, after)) if a != b]
                self.assertEqual(len(before), len(after))
                self.assertEqual([before[i].strip() for i in changed], ["h.mul_(2);"])
                self.assertEqual(source.stat().st_mode & 0o777, 0o764)
                self.assertEqual(self.check(source).returncode, 0)

    def test_repairs_a_header_once_that_two_programs_include(self):
        header = self.write("net.h", HEADER)
        for name in ("one.cpp", "two.cpp"):
            self.write(name, '#include "net.h"\nint main() { train(torch::ones({3})); }\n')
        run = self.check("one.cpp", "two.cpp", "--fix")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(run.stderr.count("[definite: throws]"), 1, run.stderr)
        self.assertNotIn("mul_", header.read_text())
        self.assertEqual(self.check("one.cpp", "two.cpp").returncode, 0)

    def test_leaves_a_defect_in_a_macro_alone(self):
        text = DEFECT.replace("  h.mul_(2);", "  SCALE(h);").replace(
            "\n\n", "\n#define SCALE(t) t.mul_(2)\n", 1)
        source = self.write("macro.cpp", text)
        run = self.check(source, "--fix")
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(source.read_text(), text)

    def test_follows_a_link_to_the_file_and_keeps_it(self):
        source = self.write("real/net.cpp", DEFECT)
        link = self.folder / "net.cpp"
        link.symlink_to(source)
        self.assertEqual(self.check(link, "--fix").returncode, 0)
        self.assertTrue(link.is_symlink())
        self.assertNotIn("mul_", source.read_text())

    @unittest.skipIf(os.geteuid() == 0, "root may write everything")
    def test_says_which_file_is_not_writable(self):
        source = self.write("defect.cpp", DEFECT)
        source.chmod(0o444)
        run = self.check(source, "--fix")
        self.assertEqual(run.returncode, 2)
        self.assertIn("it is not writable", run.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
