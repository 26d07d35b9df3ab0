"""The hook, run by the real pre-commit on a commit of a project of its own."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from tool_testing import CHECK, CLEAN, DEFECT, HOSTS, ToolTest

BESIDE = os.path.dirname(sys.executable)
PRE_COMMIT = shutil.which("pre-commit", path=os.pathsep.join([BESIDE, os.environ["PATH"]]))


class PreCommit(ToolTest):
    def setUp(self):
        super().setUp()
        self.environment = {**os.environ, "PRE_COMMIT_HOME": str(self.folder / "cache"),
                            "HOME": str(self.folder),
                            # where torch-tidy looks for LibTorch
                            "XDG_CACHE_HOME": os.environ.get(
                                "XDG_CACHE_HOME", os.path.expanduser("~/.cache")),
                            "GIT_CONFIG_NOSYSTEM": "1",
                            "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org",
                            "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@example.org"}
        for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
            self.environment.pop(name, None)
        # torch-tidy's repository as pre-commit sees it, ...
        self.hooks = self.folder / "hooks"
        self.hooks.mkdir()
        shutil.copy(pathlib.Path(HOSTS.source) / ".pre-commit-hooks.yaml", self.hooks)
        self.git("init", "-q", where=self.hooks)
        self.git("add", ".", where=self.hooks)
        self.git("commit", "-qm", "hooks", where=self.hooks)
        revision = self.git("rev-parse", "HEAD", where=self.hooks).stdout.strip()
        # ... and the user's project.
        self.project = self.folder / "project"
        self.project.mkdir()
        self.git("init", "-q")
        self.config = (f"repos:\n- repo: {self.hooks}\n  rev: {revision}\n  hooks:\n"
                       "  - id: torch-tidy\n    args: %s\n")
        self.configure([*HOSTS.torch_args(),
                        *(f"--extra-arg={flag}" for flag in HOSTS.with_pch())])

    def configure(self, args):
        (self.project / ".pre-commit-config.yaml").write_text(self.config % args)
        self.git("add", ".pre-commit-config.yaml")

    def git(self, *args, where=None):
        return subprocess.run(["git", *args], cwd=where or self.project, env=self.environment,
                              capture_output=True, text=True, check=True)

    def commit(self, path):
        return subprocess.run([PRE_COMMIT, "run"], cwd=self.project, capture_output=True, text=True,
                              env={**self.environment, "PATH": path})

    def stage(self, name, text):
        (self.project / name).write_text(text)
        self.git("add", name)

    def test_checks_the_changed_sources(self):
        tool = os.path.dirname(HOSTS.torch_tidy)
        path = os.pathsep.join([tool, self.environment["PATH"]])
        self.stage("notes.txt", "no source")
        run = self.commit(path)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("no files to check", run.stdout)
        self.stage("train.cpp", CLEAN)
        run = self.commit(path)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("Passed", run.stdout)
        self.stage("train.cpp", DEFECT)
        run = self.commit(path)
        self.assertEqual(run.returncode, 1)
        self.assertIn(f"train.cpp:6:5: error: ", run.stdout)
        self.assertIn(CHECK, run.stdout)

    def test_checks_a_changed_header_as_the_readme_configures_it(self):
        self.configure(["-p", "build"])
        self.assertIn("args: [-p, build]\n",
                      (pathlib.Path(HOSTS.source) / "README.md").read_text())
        path = os.pathsep.join([os.path.dirname(HOSTS.torch_tidy), self.environment["PATH"]])
        header = "#pragma once\n" + CLEAN.replace("void train", "inline void train")
        self.stage("net.h", header)
        self.stage("main.cpp", '#include "net.h"\nint main() { train(torch::ones({3})); }\n')
        source = self.project / "main.cpp"
        build = self.project / "build"
        build.mkdir()
        (build / "compile_commands.json").write_text(json.dumps([{
            "directory": str(build), "file": str(source), "arguments": [
                "/usr/bin/c++", *HOSTS.flags(), *HOSTS.with_pch(), "-c", str(source)]}]))
        self.git("commit", "-qm", "a net")
        self.stage("net.h", header.replace("h = h.mul(2)", "h.mul_(2)"))
        run = self.commit(path)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn("net.h:7:5: error: ", run.stdout)
        self.assertIn(CHECK, run.stdout)
        self.stage("net.h", header + "// harmless\n")
        run = self.commit(path)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("Passed", run.stdout)

    def test_fails_where_the_tool_is_missing(self):
        self.stage("train.cpp", DEFECT)
        path = os.pathsep.join(d for d in self.environment["PATH"].split(os.pathsep)
                               if not os.path.exists(os.path.join(d, "torch-tidy")))
        run = self.commit(path)
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn("Executable `torch-tidy` not found", run.stdout)


if __name__ == "__main__":
    if not PRE_COMMIT:
        print("pre-commit is not installed: pip install pre-commit")
        sys.exit(77)
    unittest.main(verbosity=2)
