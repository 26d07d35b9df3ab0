#!/usr/bin/env python3
"""Measures a sample of operators and modules again and compares with the shipped table.

Runs with the Python that TORCH_TIDY_FACTS_PYTHON names, else with this one. Exits 77 (skipped) where
that one has no PyTorch, or none in a version with a table.
"""

import os
import pathlib
import subprocess
import sys

ROOM = pathlib.Path(__file__).resolve().parents[3] / "checks" / "model" / "facts"
SAMPLE = (r"^(relu|relu_|mul\.Tensor|mul_\.Tensor|conv2d|batch_norm|gelu|unbind\.int|detach|round|"
          r"reshape|index_put_|max\.dim|nn::functional::mse_loss|Linear|BatchNorm2d|Dropout|LSTM)$")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def main():
    python = os.environ.get("TORCH_TIDY_FACTS_PYTHON", sys.executable)
    asked = subprocess.run(
        [python, "-c", "import torch, torch.testing._internal.common_methods_invocations, "
         "torch.testing._internal.common_modules; print('version', torch.__version__)"],
        capture_output=True, text=True, cwd="/")
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        skip(f"{python} cannot import PyTorch and its test samples ({last}); name another with "
             "TORCH_TIDY_FACTS_PYTHON")
    version = asked.stdout.split()[-1].partition("+")[0]
    table = ROOM / "tables" / f"{version}.tsv"
    if not table.exists():
        skip(f"{python} has PyTorch {version}, of which no table is shipped")
    made = subprocess.run([python, str(ROOM / "generate.py"), "--quiet", "--print", "--only",
                           SAMPLE], capture_output=True, text=True, cwd="/")
    if made.returncode:
        sys.exit(f"generate.py failed:\n{made.stderr}")
    shipped = set(table.read_text().splitlines())
    lines = [line for line in made.stdout.splitlines() if not line.startswith("#")]
    rows = [line for line in lines if line.split("\t")[0] in ("op", "nn")]
    if len(rows) < 18:
        sys.exit(f"generate.py measured {len(rows)} rows of the sample, not 18:\n" + made.stdout)
    different = [line for line in lines if line not in shipped]
    if different:
        sys.exit(f"PyTorch {version} differs from {table.name}; measured now:\n"
                 + "\n".join(different))
    print(f"{len(lines)} lines measured on PyTorch {version}, all as shipped")


if __name__ == "__main__":
    main()
