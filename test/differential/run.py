#!/usr/bin/env python3
"""Random LibTorch programs: what torch-tidy predicts against what running them shows.

    run.py --seed S --count N --torch ROOT [--tool torch-tidy] [--compiler clang++] [--keep FOLDER]

Every program is generated from its seed, together with a safe spelling of each suspicious site. Program
and safe twin are run from the same weights; what differs first is the true outcome (execute.py). Then
torch-tidy reads the program, and the findings are held against the truth:

  precision   findings that stand for a site that does harm
  recall      sites that do harm and have a finding
  outcome     of those, the finding predicts what was observed
  line        of those, the finding is on the line that must be changed

with Wilson's 95 % intervals. Sites whose harm depends on what the author meant (two safe spellings that
differ) are left out and counted. --min-* make it a test: exit status 1 where a figure is below.
"""
import argparse
import collections
import json
import math
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import execute
import markup
import programs

WORDS = ("throws", "undefined", "zero", "wrong", "stale")


def wilson(hits, total):
    if total == 0:
        return (0.0, 1.0)
    z = 1.96
    p = hits / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return (max(0.0, middle - half), min(1.0, middle + half))


def figure(hits, total):
    if total == 0:
        return "     -              "
    low, high = wilson(hits, total)
    return f"{100 * hits / total:6.1f} [{100 * low:5.1f}, {100 * high:5.1f}] {hits}/{total}"


class Scores:
    def __init__(self):
        self.findings = self.right = self.sites = self.found = self.outcome = self.line = 0
        self.programs = self.clean = 0

    def row(self, name):
        return (f"{name:20} {self.programs:5}  {figure(self.right, self.findings):34}  {figure(self.found, self.sites):34}  "
                f"{figure(self.outcome, self.found):34}  {figure(self.line, self.found)}")


def analyse(tool, torch, files, extra, slot):
    """{file: [(line, check, outcome, certainty, message)]}"""
    result = {os.path.abspath(f): [] for f in files}
    if not files:
        return {}
    args = [*slot, tool, "check", "--format=sarif", "--fail-on=never", *(["--torch", torch] if torch else []), *(f"--extra-arg={e}" for e in extra), *files]
    done = subprocess.run(args, capture_output=True, text=True)
    try:
        log = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise SystemExit(f"{' '.join(args[:6])} ...: {done.returncode}\n{done.stderr[-3000:]}")
    if done.returncode == 2:
        sys.stderr.write(done.stderr[-3000:])
    for run in log["runs"]:
        for r in run["results"]:
            where = r["locations"][0]["physicalLocation"]
            path = where["artifactLocation"]["uri"].replace("file://", "")
            if not os.path.isabs(path):
                path = os.path.abspath(path)
            if r["properties"]["outcome"] == "benign":
                continue
            result.setdefault(path, []).append((where["region"]["startLine"], r["ruleId"], r["properties"]["outcome"], r["properties"]["certainty"], r["message"]["text"]))
    return result


def in_two_sources(text):
    """{file name: text}: class and forward pass apart from the training loop, each line where it was. {}
    where there is no class to take apart."""
    lines = text.split("\n")
    entry = next((i for i, l in enumerate(lines) if l in ("int main() {", "void train() {")), None)
    start = max((i for i, l in enumerate(lines[:entry]) if l.startswith("  torch::Tensor forward(") and l.endswith(") {")), default=None)
    if entry is None or start is None:
        return {}
    owner = next((re.match(r"(?:struct|class) (\w+) : ", l) for l in reversed(lines[:start]) if re.match(r"(?:struct|class) (\w+) : ", l)), None)
    end = next(i for i in range(start, entry) if lines[i] == "  }")
    if owner is None or lines[1]:
        return {}
    inline = lambda l: "inline " + l if re.match(r"(void|torch::Tensor) \w+\(.*\) \{$", l) else l
    header = [inline(l) for l in lines[:start]] + [lines[start][:-2] + ";"] + [""] * (end - start) + lines[end + 1 : entry]
    header[1] = "#pragma once"
    include = ['#include "model.h"']
    model = include + [""] * (start - 1) + [lines[start].replace(" forward(", f" {owner.group(1)}::forward(").strip()] + lines[start + 1 : end] + ["}"]
    train = include + [""] * (entry - 1) + lines[entry:]
    return {"model.h": "\n".join(header) + "\n", "model.cpp": "\n".join(model) + "\n", "train.cpp": "\n".join(train) + "\n"}


def match(generated, truth, findings, marks, total, families, note):
    """Findings of one program against its sites."""
    doubtful = {k for k in truth if k in generated.ambiguous or len({w == "benign" for w in truth[k]}) > 1 or "crash" in truth[k]}
    harmful = {k for k in truth if k not in doubtful and "benign" not in truth[k]}
    main = next(iter(generated.families.values()), "none")
    for s in (total, families[main]):
        s.programs += 1
    left = list(findings)
    taken = {}
    for k in sorted(harmful):
        for f in left:
            if f[0] in marks.get(k, []):
                taken[k] = f
                left.remove(f)
                break
    # What stands at a doubtful site may stand there.
    left = [f for f in left if not any(f[0] in marks.get(k, []) for k in doubtful)]
    for k in sorted(harmful - set(taken)):
        if left and not doubtful:
            taken[k] = left.pop(0)
    for k in harmful:
        family = generated.families[k]
        for s in (total, families[family]):
            s.sites += 1
            if k in taken:
                line, check, outcome, _, _ = taken[k]
                s.found += 1
                s.findings += 1
                s.right += 1
                s.outcome += outcome in truth[k]
                s.line += line in marks.get(k, [])
        if k not in taken:
            note("missed", k, f"{sorted(truth[k])}, {generated.traits['details'][k][:140]}")
        else:
            if taken[k][2] not in truth[k]:
                note("outcome", k, f"is {sorted(truth[k])}, said {taken[k][1:]}")
            if taken[k][0] not in marks.get(k, []):
                note("line", k, f"should be {marks.get(k)}, said {taken[k]}")
    # Several findings of different checks on the line of a site that does harm say it twice.
    for f in left:
        k = next((k for k in harmful if f[0] in marks.get(k, [])), None)
        if k is not None and taken.get(k, ("",))[0] == f[0]:
            continue
        for s in (total, families[main]):
            s.findings += 1
        note("false", 0, f"{f}; truth {({k: sorted(v) for k, v in truth.items()})}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    here = os.path.dirname(os.path.abspath(__file__))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=100)
    p.add_argument("--torch", required=True, help="root of LibTorch: the folder with include and lib")
    p.add_argument("--tool", default=os.path.join(here, "../../build/release/bin/torch-tidy"))
    p.add_argument("--compiler", default="clang++-22")
    p.add_argument("--standard", default="c++20")
    p.add_argument("--keep", default="/tmp/torch-tidy-differential", help="work folder: sources, precompiled headers, disagreements")
    p.add_argument("--batch", type=int, default=16, help="programs to a translation unit")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--slot", default="", help="a command put before every heavy one")
    p.add_argument("--extra-arg", action="append", default=[], help="for torch-tidy")
    p.add_argument("--again", action="store_true", help="take what was executed before from the work folder")
    p.add_argument("--families", default="", help="only programs with sites of these families, by comma")
    for name in ("precision", "recall", "outcome", "line"):
        p.add_argument(f"--min-{name}", type=float, default=0)
    o = p.parse_args()

    slot = o.slot.split()
    include = [f"-isystem{o.torch}/include", f"-isystem{o.torch}/include/torch/csrc/api/include"]
    libraries = [f"-L{o.torch}/lib", "-ltorch_cpu", "-lc10", "-Wl,--allow-shlib-undefined", f"-Wl,-rpath,{o.torch}/lib"]
    for folder, _, names in os.walk(os.path.join(o.torch, "..", "nvidia")):
        if os.path.basename(folder) == "lib":
            libraries.append(f"-Wl,-rpath,{os.path.abspath(folder)}")
    compiler = execute.Compiler(o.compiler, [f"-std={o.standard}", "-O0", "-w", *include], libraries, os.path.join(o.keep, "build"), slot)

    every = [programs.program(seed) for seed in range(o.seed, o.seed + o.count)]
    if o.families:
        every = [g for g in every if set(g.families.values()) & set(o.families.split(","))]

    stored = os.path.join(o.keep, f"truth-{o.seed}-{o.count}.json")
    texts = {g.seed: g.text for g in every}
    events, broken = {}, {}
    if o.again and os.path.exists(stored):
        with open(stored, encoding="utf-8") as file:
            old = json.load(file)
        events = {int(s): e for s, (t, e) in old.items() if texts.get(int(s)) == t}
    todo = [g for g in every if g.seed not in events]
    if todo:
        compiler.precompile()
        done, broken = execute.run_all(compiler, todo, o.batch, o.jobs)
        events.update(done)
        with open(stored, "w", encoding="utf-8") as file:
            json.dump({s: (texts[s], e) for s, e in events.items()}, file)

    folder = os.path.join(o.keep, "programs")
    os.makedirs(folder, exist_ok=True)
    unusable = collections.Counter()
    truth, files, marks = {}, {}, {}
    apart = {}  # program: the folder in which it is in two sources
    for g in every:
        if g.seed in broken:
            unusable["does not compile"] += 1
            print(f"-- {g.seed} does not compile: {broken[g.seed].splitlines()[0] if broken[g.seed] else ''}")
            continue
        if g.seed not in events:
            unusable["not run"] += 1
            continue
        t = execute.truths(g, events[g.seed])
        if isinstance(t, str):
            unusable["safe version: " + t.split(":")[0][:60]] += 1
            print(f"-- {g.seed} {t[:200]}")
            continue
        text, marks[g.seed] = markup.as_written(g.text)
        path = os.path.abspath(os.path.join(folder, f"p{g.seed}.cpp"))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("@MAIN@", "int main() {"))
        truth[g.seed], files[g.seed] = t, path
        if g.seed % 5 == 0 and (parts := in_two_sources(text.replace("@MAIN@", "int main() {"))):
            apart[path] = os.path.join(folder, f"p{g.seed}")
            os.makedirs(apart[path], exist_ok=True)
            for name, part in parts.items():
                with open(os.path.join(apart[path], name), "w", encoding="utf-8") as file:
                    file.write(part)

    compiler.precompile()
    pch = compiler.precompile_for_tool()
    extra = o.extra_arg + (["-include-pch", pch] if pch else [])
    findings = {}
    for path, parts in apart.items():
        both = analyse(o.tool, o.torch, [parts], extra, slot)
        findings[path] = [f for part in both.values() for f in part]
    paths = [p for p in files.values() if p not in apart]
    for i in range(0, len(paths), 40):
        findings.update(analyse(o.tool, o.torch, paths[i : i + 40], extra, slot))

    total, families = Scores(), collections.defaultdict(Scores)
    doubtful = 0
    for g in every:
        if g.seed not in truth:
            continue

        def note(what, k, text, g=g):
            print(f"!! {what:8} {g.families.get(k, '-'):18} {files[g.seed]}:{','.join(map(str, marks[g.seed].get(k, [])))} {text}")

        doubtful += sum(1 for k in truth[g.seed] if k in g.ambiguous or len({w == "benign" for w in truth[g.seed][k]}) > 1)
        match(g, truth[g.seed], findings[files[g.seed]], marks[g.seed], total, families, note)

    words = collections.Counter("/".join(sorted(w)) for t in truth.values() for w in t.values())
    print(f"\n{len(truth)} programs ({len(apart)} of them in two sources), seeds {o.seed}..{o.seed + o.count - 1}; sites by outcome: {dict(words.most_common())}; left out as doubtful: {doubtful} sites; unusable: {dict(unusable)}")
    print(f"{'family':20} {'progs':>5}  {'precision':34}  {'recall':34}  {'outcome':34}  line")
    for name in sorted(families):
        print(families[name].row(name))
    print(total.row("all"))
    low = [n for n, hits, of in (("precision", total.right, total.findings), ("recall", total.found, total.sites), ("outcome", total.outcome, total.found), ("line", total.line, total.found))
           if of and 100 * hits / of < getattr(o, f"min_{n}")]
    if low:
        raise SystemExit("below the least allowed: " + ", ".join(low))


if __name__ == "__main__":
    main()
