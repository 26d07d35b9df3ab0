#!/usr/bin/env python3
"""What the checks add to a plain parse, inside a stock clang-tidy.

    plugin.py --clang CLANG++ --clang-tidy CLANG-TIDY --plugin MODULE.so [--repeat 5] FILE -- FLAGS

Runs, in turn and --repeat times, a parse (-fsyntax-only), clang-tidy with one trivial check, and
clang-tidy with that check and all of the plugin's, and compares the medians of the processor time they
took. The plugin's share is the difference of the last two, over the parse. Exits with 1 where it
exceeds --limit.
"""
import argparse
import os
import statistics
import subprocess
import sys

TRIVIAL = "readability-avoid-const-params-in-decls"  # looks at declarations of functions alone


def seconds(command):
    before = os.times()
    run = subprocess.run(command, capture_output=True, text=True)
    after = os.times()
    if run.returncode not in (0, 1):
        sys.exit(f"plugin.py: {' '.join(command)} failed:\n{run.stdout[-2000:]}{run.stderr[-2000:]}")
    took = after.children_user - before.children_user + after.children_system - before.children_system
    return took, run.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clang", required=True)
    parser.add_argument("--clang-tidy", required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--limit", type=float, default=0.10)
    parser.add_argument("file")
    arguments = sys.argv[1:]
    flags = []
    if "--" in arguments:
        flags = arguments[arguments.index("--") + 1:]
        arguments = arguments[:arguments.index("--")]
    options = parser.parse_args(arguments)
    tidy = [options.clang_tidy, "--quiet", f"--load={options.plugin}", options.file]
    commands = {
        "parse": [options.clang, "-fsyntax-only", options.file, *flags],
        "trivial": [*tidy, f"--checks=-*,{TRIVIAL}", "--", *flags],
        "checks": [*tidy, f"--checks=-*,{TRIVIAL},torch-*", "--", *flags],
    }
    took = {name: [] for name in commands}
    findings = 0
    for _ in range(options.repeat):
        for name, command in commands.items():
            time, output = seconds(command)
            took[name].append(time)
            if name == "checks":
                findings = output.count("[torch-")
    median = {name: statistics.median(times) for name, times in took.items()}
    lines = sum(1 for _ in open(options.file, errors="replace"))
    added = (median["checks"] - median["trivial"]) / median["parse"]
    print(f"{options.file}: {lines} lines, {findings} findings; medians of {options.repeat} runs, "
          "processor time")
    for name in commands:
        print(f"  {name:8} {median[name]:7.2f} s   {median[name] / median['parse']:5.2f} of the parse"
              f"   ({min(took[name]):.2f} to {max(took[name]):.2f})")
    print(f"  the checks add {added * 100:.1f} % to the parse")
    return 1 if added > options.limit else 0


if __name__ == "__main__":
    sys.exit(main())
