"""torch-tidy reports the lines of FILE that end in `//!`, and no others; with --stats, little is left
untracked.

    followed_test.py FILE --tool torch-tidy --torch DIR (--hosts hosts.json | --pch FILE)
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("file")
parser.add_argument("--tool", required=True)
parser.add_argument("--torch", required=True)
parser.add_argument("--hosts")
parser.add_argument("--pch")
arguments = parser.parse_args()
pch = arguments.pch
if arguments.hosts:
    pch = pathlib.Path(json.loads(pathlib.Path(arguments.hosts).read_text())["work"]) / "torch.pch"

source = pathlib.Path(arguments.file).read_text().split("\n")
run = subprocess.run(
    [arguments.tool, "check", "--torch", arguments.torch, "--extra-arg=-include-pch", f"--extra-arg={pch}",
     "--format=sarif", "--fail-on=never", "--stats", arguments.file], capture_output=True, text=True)
if run.returncode:
    sys.exit(run.stderr)
told = {}
for result in json.loads(run.stdout)["runs"][0]["results"]:
    told.setdefault(result["locations"][0]["physicalLocation"]["region"]["startLine"], []).append(
        f"[{result['ruleId']}] {result['message']['text']}")
wanted = {i for i, line in enumerate(source, 1) if line.rstrip().endswith("//!")}
function, inside = {}, ""
for i, line in enumerate(source, 1):
    if match := re.match(r"(?:void|Tensor|struct|class) (\w+)", line):
        inside = match.group(1)
    function[i] = inside
for line in sorted(wanted - set(told)):
    print(f"FAIL  not followed: {function[line]}, line {line}: {source[line - 1].strip()}")
for line in sorted(set(told) - wanted):
    print(f"FAIL  not true: {function[line]}, line {line}: {'; '.join(told[line])}")
print(f"{len(wanted & set(told))} of {len(wanted)}")
print(run.stderr)
sys.exit(1 if wanted != set(told) else 0)
