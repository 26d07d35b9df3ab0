"""What the tests of torch-tidy share: a folder of one's own, sources, runs of the tool."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "checks"))
from hosts import Hosts  # noqa: E402

HOSTS = Hosts(sys.argv.pop(1))
CHECK = "torch-inplace-autograd"

# relu saves its result for its backward, and the result is overwritten.
DEFECT = """#include <torch/torch.h>

void train(torch::Tensor x) {
  auto weight = torch::randn({3}, torch::requires_grad());
  auto h = torch::relu(weight * x);
  h.mul_(2);
  h.sum().backward();
}
"""
CLEAN = DEFECT.replace("h.mul_(2)", "h = h.mul(2)")


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=HOSTS.work)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def torch_tidy(self, *args, **options):
        """Exactly these arguments."""
        return HOSTS.run([HOSTS.torch_tidy, *args], cwd=self.folder, **options)

    def check(self, *args, pch=True):
        """`check`, with the LibTorch of the tests and its precompiled header."""
        extra = [f"--extra-arg={flag}" for flag in HOSTS.with_pch()] if pch else []
        return self.torch_tidy("check", *HOSTS.torch_args(), *extra, *args)

    def sarif(self, *args, pch=True):
        run = self.check("--format=sarif", *args, pch=pch)
        self.assertTrue(run.stdout, run.stderr)
        return json.loads(run.stdout)["runs"][0], run

    def database(self, entries, folder="build"):
        """A compile database: (target, source) pairs, compiled as torch-tidy itself would."""
        build = self.folder / folder
        build.mkdir(exist_ok=True)
        commands = [{
            "directory": str(build), "file": str(self.folder / source),
            "output": f"CMakeFiles/{target}.dir/{source}.o",
            "arguments": ["/usr/bin/c++", *HOSTS.flags(), "-o",
                          f"CMakeFiles/{target}.dir/{source}.o", "-c", str(self.folder / source)],
        } for target, source in entries]
        (build / "compile_commands.json").write_text(json.dumps(commands))
        return build
