"""The CI gate: the steps of tool/ci/github-actions.yml, run as the runner would."""
import json
import os
import pathlib
import shutil
import sys
import unittest

from tool_testing import CLEAN, DEFECT, HOSTS, ToolTest

try:
    import yaml
except ImportError:
    print("PyYAML is not installed: pip install pyyaml")
    sys.exit(77)

WORKFLOW = pathlib.Path(HOSTS.source) / "tool/ci/github-actions.yml"


class Gate(ToolTest):
    def steps(self):
        """name -> script, of the steps that are scripts."""
        [job] = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
        return {step["name"]: step["run"] for step in job["steps"] if "run" in step}

    def run_step(self, name):
        # GitHub runs `run:` with bash -e -o pipefail.
        path = os.pathsep.join([os.path.dirname(HOSTS.torch_tidy),
                                *([os.path.dirname(HOSTS.confirm)] if HOSTS.confirm else []),
                                os.environ["PATH"]])
        return HOSTS.run(["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c",
                          self.steps()[name]], cwd=self.folder, env={**os.environ, "PATH": path})

    def project(self, text):
        self.write("train.cpp", text)
        self.database([("train", "train.cpp")])

    def test_has_the_steps_in_order_and_uploads_what_check_writes(self):
        self.assertEqual(list(self.steps()),
                         ["Prerequisites", "Install torch-tidy", "Configure", "Check", "Confirm"])
        [job] = yaml.safe_load(WORKFLOW.read_text())["jobs"].values()
        upload = job["steps"][-1]
        self.assertEqual(upload["if"], "always()")
        self.assertIn(f"--output {upload['with']['sarif_file']}", self.steps()["Check"])

    def test_puts_on_path_what_it_installs(self):
        bootstrap = self.write(".torch-tidy/bootstrap.sh", "#!/bin/sh\n[ \"$*\" = build ]\n")
        bootstrap.chmod(0o755)
        where = self.folder / "path"
        run = HOSTS.run(["bash", "-e", "-o", "pipefail", "-c", self.steps()["Install torch-tidy"]],
                        cwd=self.folder, env={**os.environ, "GITHUB_WORKSPACE": str(self.folder),
                                              "GITHUB_PATH": str(where)})
        self.assertEqual(run.returncode, 0, run.stderr)
        installed = pathlib.Path(where.read_text().strip())
        # As laid out by what the real bootstrap.sh builds: build/<preset>/bin.
        self.assertEqual(installed, self.folder / ".torch-tidy" / "build" / "release" / "bin")
        self.assertEqual(os.path.basename(os.path.dirname(HOSTS.torch_tidy)), installed.name)

    def test_check_passes_findings_on_to_confirm(self):
        self.project(DEFECT)
        run = self.run_step("Check")
        self.assertEqual(run.returncode, 0, run.stderr)
        findings = json.loads((self.folder / "findings.sarif").read_text())
        self.assertEqual(len(findings["runs"][0]["results"]), 1)

    def test_check_fails_the_build_where_something_was_not_analysed(self):
        self.project(CLEAN + "syntax error\n")
        self.assertEqual(self.run_step("Check").returncode, 1)
        self.assertTrue((self.folder / "findings.sarif").exists())

    @unittest.skipIf(HOSTS.confirm, "the runtime half is built")
    def test_confirm_says_what_is_missing_where_only_this_half_is_built(self):
        self.project(DEFECT)
        self.run_step("Check")
        run = self.run_step("Confirm")
        self.assertEqual(run.returncode, 2)
        self.assertIn("build with -DTORCH_TIDY_BUILD_RUNTIME=ON", run.stderr)

    @unittest.skipUnless(HOSTS.confirm, "the runtime half is not built")
    def test_confirmed_defects_fail_the_build_and_clean_programs_pass(self):
        model = """#include <torch_tidy/confirm.h>
TORCH_TIDY_MODEL(gate) {
  torch::nn::Linear net(3, 1);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  auto x = torch::randn({4, 3}, torch_tidy::device());
  torch_tidy::train(net, optimizer, [=]() mutable {
    auto h = torch::relu(net->forward(x));
    %s
    return h.sum();
  });
}
"""
        for body, status in (("h = h.mul(2);", 0), ("h.mul_(2);", 1)):
            with self.subTest(body):
                self.project(model % body)
                build = self.folder / "build/compile_commands.json"
                commands = json.loads(build.read_text())
                commands[0]["arguments"][1:1] = [
                    "-isystem", str(pathlib.Path(HOSTS.source) / "runtime/include")]
                build.write_text(json.dumps(commands))
                check = self.run_step("Check")
                self.assertEqual(check.returncode, 0, check.stderr)
                confirm = self.run_step("Confirm")
                self.assertEqual(confirm.returncode, status, confirm.stdout + confirm.stderr)
                results = json.loads((self.folder / "findings.sarif").read_text())["runs"][0]["results"]
                self.assertEqual([r["properties"]["runtime"]["verdict"] for r in results],
                                 ["confirmed"] * status)


if __name__ == "__main__":
    unittest.main(verbosity=2)
