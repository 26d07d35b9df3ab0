"""Runs torch-tidy over the corpus and says how much of it is found, family by family.

    run.py --tool torch-tidy --torch DIR [--pch FILE] [--work FOLDER] [--floor FLOOR.json] [--list] [NAME...]

Every program is analysed as reported and repaired. A defect is

    found           if a finding stands on one of its marked lines, or on another line of the program
                    (then the line is wrong);
    outcome right   if the finding, the best placed one, predicts an outcome of the header;
    line right      if it stands on a marked line.

With --libtorch VERSION, programs that are about a newer LibTorch (newer.json) are left out, and as
many less must be found.

Every finding in a repaired program, or in a clean one, is a false finding; so is a second finding in
a defective program that stands on no marked line. With --floor the status is 1 if a figure is worse
than in that file.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
from urllib.parse import unquote, urlparse

import programs as corpus

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--tool", required=True)
parser.add_argument("--torch", required=True)
parser.add_argument("--pch", help="precompiled torch.h made with the tool's flags")
parser.add_argument("--hosts", help="hosts.json of the check tests: its precompiled header is used")
parser.add_argument("--work", default="/tmp/torch-tidy-corpus")
parser.add_argument("--floor", help="figures that must be reached")
parser.add_argument("--wrap", default="", help="command to put before the tool")
parser.add_argument("--libtorch", help="the version in --torch")
parser.add_argument("--list", action="store_true", help="say which are missed, wrong or false")
parser.add_argument("names", nargs="*", help="programs or families")
arguments = parser.parse_args()

work = pathlib.Path(arguments.work)
pch = arguments.pch
if arguments.hosts:
    pch = pathlib.Path(json.loads(pathlib.Path(arguments.hosts).read_text())["work"]) / "torch.pch"
def number(version):
    return [int(n) for n in version.split(".")]


newer = {name for name, since in json.loads((corpus.HERE / "newer.json").read_text()).items()
         if arguments.libtorch and number(arguments.libtorch) < number(since)}
wanted = [p for p in corpus.programs() if p.name not in newer
          and (not arguments.names or p.name in arguments.names or p.family in arguments.names)]
files = {}
for program in wanted:
    for variant in ("good",) if program.clean else ("bad", "good"):
        path = work / variant / program.family / f"{program.name}.cpp"
        corpus.write(path, program.variant(variant == "bad"))
        files[str(path)] = (program, variant)

sarif = work / "corpus.sarif"
command = [*arguments.wrap.split(), arguments.tool, "check", "--torch", arguments.torch, "--format", "sarif",
           "--output", str(sarif), "--stats", "--fail-on=never"]
if pch:
    command += ["--extra-arg=-include-pch", f"--extra-arg={pch}"]
run = subprocess.run([*command, *files], capture_output=True, text=True)
if run.returncode != 0:
    said = [line for line in run.stderr.splitlines() if line.startswith("torch-tidy: ")]
    sys.exit("\n".join([f"torch-tidy check ended with status {run.returncode}", *said]))
(work / "stats.txt").write_text(run.stderr)

found = collections.defaultdict(list)
for sarif_run in json.loads(sarif.read_text())["runs"]:
    for result in sarif_run["results"]:
        place = result["locations"][0]["physicalLocation"]
        artifact = place["artifactLocation"]
        base = sarif_run["originalUriBaseIds"][artifact["uriBaseId"]]["uri"] if "uriBaseId" in artifact else ""
        found[unquote(urlparse(base + artifact["uri"]).path)].append(
            (place["region"]["startLine"], result["ruleId"], result["properties"]["outcome"],
             result["properties"]["certainty"], result["message"]["text"]))

rows = collections.defaultdict(collections.Counter)
said = []
for path, (program, variant) in files.items():
    row, results = rows[program.family], sorted(set(found[path]))
    if variant == "good":
        row["quiet"] += 1
        for line, check, effect, certainty, message in results:
            row["false"] += 1
            said.append(f"FALSE   {program.path.relative_to(corpus.HERE)}:{line}: {'clean' if program.clean else 'repaired'}: [{check}] {effect} {certainty}: {message[:110]}")
        continue
    row["defects"] += 1
    at_line = [r for r in results if r[0] in program.lines]
    others = [r for r in results if r[0] not in program.lines]
    best = sorted(at_line, key=lambda r: (r[2] not in program.outcomes, program.lines.index(r[0])))[:1] or others[:1]
    name = f"{program.path.relative_to(corpus.HERE)}:{program.lines[0]}"
    if not best:
        said.append(f"MISSED  {name}: {'|'.join(program.outcomes)}: {program.text[program.lines[0] - 1].strip()}")
        continue
    row["found"] += 1
    line, check, effect, certainty, message = best[0]
    row["outcome"] += effect in program.outcomes
    row["line"] += bool(at_line)
    if effect not in program.outcomes:
        said.append(f"OUTCOME {name}: {'|'.join(program.outcomes)}, told {effect} on line {line} [{check}]: {message[:100]}")
    if not at_line:
        said.append(f"LINE    {name}: told line {line} [{check}]: {message[:100]}")
    for line, check, effect, certainty, message in others[0 if at_line else 1:]:
        row["extra"] += 1
        said.append(f"EXTRA   {name}: line {line}: [{check}] {effect}: {message[:110]}")

head = ("defects", "found", "outcome", "line", "extra", "quiet", "false")
total = collections.Counter()
print(f"{'family':20}" + "".join(f"{h:>9}" for h in head))
for family, row in sorted(rows.items()):
    total.update(row)
    print(f"{family:20}" + "".join(f"{row[h]:9}" for h in head))
print(f"{'all':20}" + "".join(f"{total[h]:9}" for h in head))
if total["defects"]:
    print(f"found {100 * total['found'] / total['defects']:.1f} %, outcome right in "
          f"{100 * total['outcome'] / max(1, total['found']):.1f} % of those, line in "
          f"{100 * total['line'] / max(1, total['found']):.1f} %; false findings: {total['false']}")
if arguments.list:
    print("\n".join(sorted(said)))
expressions = re.findall(r"(\d+) of (\d+) tensor expressions", run.stderr)
if arguments.floor:
    floor = json.loads(pathlib.Path(arguments.floor).read_text())
    for key in ("defects", "found", "outcome", "line"):
        floor[key] -= sum(p.name in newer and not p.clean for p in corpus.programs())
    worse = [f"{key}: {total[key]}, must be at {'most' if key in ('extra', 'false') else 'least'} {value}"
             for key, value in floor.items()
             if (total[key] > value if key in ("extra", "false") else total[key] < value)]
    print("\n".join(f"FAIL  {w}" for w in worse))
    sys.exit(1 if worse else 0)
