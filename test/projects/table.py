#!/usr/bin/env python3
"""torch-tidy over checkouts of public projects: one row of figures per project, and every finding.

    table.py --tool build/release/bin/torch-tidy --torch LIBTORCH [--extra-arg=FLAG...] FOLDER...

Nothing is built, and nothing of the projects is kept here.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

COLUMNS = ["project", "sources", "whole", "in part", "programs", "roots", "reach backward",
           "budget", "findings", "modelled", "analysis"]


def number(pattern, text):
    match = re.search(pattern, text)
    return int(match.group(1)) if match else 0


def row(arguments, folder):
    with tempfile.TemporaryDirectory() as scratch:
        sarif = pathlib.Path(scratch) / "findings.sarif"
        command = [arguments.tool, "check", folder, "--stats", "--verbose", "--format=sarif",
                   f"--output={sarif}", *([f"--torch={arguments.torch}"] if arguments.torch else []),
                   *[f"--extra-arg={flag}" for flag in arguments.extra_arg]]
        run = subprocess.run(command, capture_output=True, text=True, timeout=arguments.timeout)
        if not sarif.exists():
            sys.exit(f"{folder}: status {run.returncode}\n{run.stderr}")
        document = json.loads(sarif.read_text())["runs"][0]
    text = run.stderr
    partly = len(set(re.findall(r"(?m)^torch-tidy: \w+: (\S+) (?:was analysed as far|does not parse)",
                                text)))
    sources = number(r"(?m)^torch-tidy: (\d+) sources?:", text)
    modelled = re.search(r"\d+ of +\d+ \(([\d.]+ %)\)  all files", text)
    values = [pathlib.Path(folder).name, sources, sources - partly, partly,
              len(document["properties"]["sources"]), number(r"Entry points analysed:\s+(\d+)", text),
              number(r"of which reach backward\(\):\s+(\d+)", text),
              number(r"budget used up in (\d+) entry", text), len(document["results"]),
              modelled.group(1) if modelled else "-",
              str(number(r"parsing apart:\s+(\d+)", text)) + " ms"]
    print("| " + " | ".join(str(value) for value in values) + " |", flush=True)
    for result in document["results"]:
        place = result["locations"][0]["physicalLocation"]
        print(f"  {place['artifactLocation']['uri']}:{place['region']['startLine']}: "
              f"{result['message']['text']} [{result['ruleId']}]", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--torch")
    parser.add_argument("--extra-arg", action="append", default=[])
    parser.add_argument("--timeout", type=int, default=3600, help="seconds per project")
    parser.add_argument("folders", nargs="+")
    arguments = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    for folder in arguments.folders:
        row(arguments, folder)


if __name__ == "__main__":
    main()
