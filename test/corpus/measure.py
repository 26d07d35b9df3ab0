"""The truth of the corpus, by execution: compiles and runs both variants of every program.

    measure.py --torch DIR [--work FOLDER] [--write] [NAME...]

A defect is true to its header when

    throws      the defective program ends by an exception, the repaired one does not;
    undefined   somewhere a gradient is undefined that is defined in the repaired program;
    zero        ... all zero that is not zero in the repaired program;
    wrong       gradients or weights differ, and none of the above;
    stale       likewise; that they are other, old or accumulated ones is the author's word.

Without --write the result is compared with truth.json; with it, truth.json is written. Programs are
compiled many to a file (parsing torch.h once), each variant in a namespace of its own.
"""
import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import re
import subprocess
import sys

import programs as corpus

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--torch", required=True, help="LibTorch to run with")
parser.add_argument("--compiler", default="clang++-22")
parser.add_argument("--std", default="c++20")
parser.add_argument("--work", default="/tmp/torch-tidy-corpus")
parser.add_argument("--wrap", default="", help="command to put before each heavy one")
parser.add_argument("--write", action="store_true")
parser.add_argument("--new", action="store_true", help="only what is not in truth.json as it now reads")
parser.add_argument("--batch", type=int, default=12)
parser.add_argument("--verbose", action="store_true")
parser.add_argument("names", nargs="*")
arguments = parser.parse_args()

work = pathlib.Path(arguments.work)
work.mkdir(parents=True, exist_ok=True)
torch = pathlib.Path(arguments.torch)
root = torch if (torch / "lib").is_dir() else torch / "torch"
libraries = [str(root / "lib")] + sorted({str(p.parent) for p in torch.glob("**/libcud*.so*")})
wrap = arguments.wrap.split()
compile_flags = [f"-std={arguments.std}", "-O0", "-w", "-fno-strict-return", "-isystem", str(root / "include"), "-isystem",
                 str(root / "include/torch/csrc/api/include")]
link_flags = ["-rdynamic", f"-L{root / 'lib'}", "-ltorch_cpu", "-lc10",
              "-Wl,--allow-shlib-undefined", *(f"-Wl,-rpath,{d}" for d in libraries)]


def run(command, **options):
    return subprocess.run([*wrap, *map(str, command)], capture_output=True, text=True, **options)


def precompiled():
    header, pch = corpus.HERE / "measure.h", work / "measure.pch"
    if not pch.exists() or pch.stat().st_mtime < header.stat().st_mtime:
        r = run([arguments.compiler, "-x", "c++-header", "-fpch-instantiate-templates", *compile_flags, header, "-o", pch])
        if r.returncode:
            sys.exit(r.stderr)
    return ["-include-pch", str(pch)]


def build(index, batch):
    """One executable for a batch: argument NAME.bad or NAME.good chooses what runs."""
    includes, bodies, table = {}, [], []
    for program in batch:
        for variant in ("bad", "good") if not program.clean else ("good",):
            lines = [f'#line 1 "{program.path}"']
            for line in program.variant(variant == "bad", measured=True).split("\n"):
                if line.lstrip().startswith("#include"):
                    includes[line.strip()] = None
                    line = ""
                lines.append(re.sub(r"\bmain\(", "tt_main(", line))
            scope = re.sub(r"\W", "_", f"{program.name}_{variant}")
            bodies.append(f"namespace p_{scope} {{\n" + "\n".join(lines) + "\n}\n")
            table.append(f'{{"{program.name}.{variant}", [] {{ return tt_measure::call(p_{scope}::tt_main); }}}},')
    text = "\n".join(includes) + "\n" + "\n".join(bodies) + f"""
#line 1 "driver"
#include <cstring>
int main(int argc, char** argv) {{
  static const struct {{ const char* name; int (*run)(); }} table[] = {{ {" ".join(table)} }};
  at::set_num_threads(1);
  for (auto& entry : table)
    if (argc > 1 && !std::strcmp(entry.name, argv[1])) {{
      try {{ return entry.run(); }}
      catch (const c10::Error& e) {{ std::cout << "\\n@! " << e.what_without_backtrace() << std::endl; return 77; }}
      catch (const std::exception& e) {{ std::cout << "\\n@! " << e.what() << std::endl; return 77; }}
    }}
  return 99;
}}
"""
    source, program = work / f"batch{index}.cpp", work / f"batch{index}"
    if not program.exists() or not source.exists() or source.read_text() != text:
        source.write_text(text)
        program.unlink(missing_ok=True)
        r = run([arguments.compiler, *compile_flags, *precompiled(), source, "-o", program, *link_flags])
        if r.returncode:
            print(r.stderr[:6000])
            sys.exit(f"{source} does not compile")
    return program


def execute(program, name):
    folder = work / "cwd" / name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        r = subprocess.run([program, name], capture_output=True, text=True, cwd=folder, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"})
    except subprocess.TimeoutExpired:
        return {"status": "timeout", "observed": [], "error": ""}
    observed = [line[3:] for line in r.stdout.split("\n") if line.startswith("@@ ")]
    error = next((line[3:] for line in r.stdout.split("\n") if line.startswith("@! ")), "")
    printed = [line for line in r.stdout.split("\n") if not line.startswith("@")]
    status = {0: "ran", 77: "threw"}.get(r.returncode, f"status {r.returncode}")
    return {"status": status, "observed": observed, "error": error, "printed": printed}


def numbers(line):
    name, state, *rest = line.rsplit(" ", 3) if " none" not in line else (line, "none")
    return name, state, [float(x) for x in rest]


def outcome(bad, good):
    """The outcome that execution shows, and the evidence in a line."""
    if bad["status"] == "threw":
        return "throws", bad["error"]
    worst, evidence, differ = None, "", []
    for b, g in zip(map(numbers, bad["observed"]), map(numbers, good["observed"])):
        if g[1] == "defined" and b[1] == "undefined" and worst != "undefined":
            worst, evidence = "undefined", f"{b[0]}: undefined, repaired {g[2][0]:.3g}"
        elif g[1] == "defined" and b[1] == "zero" and not worst:
            worst, evidence = "zero", f"{b[0]}: zero, repaired {g[2][0]:.3g}"
        if b[1] != g[1] or any(not math.isclose(x, y, rel_tol=1e-5, abs_tol=1e-9) for x, y in zip(b[2], g[2])):
            differ.append(f"{b[0]}: {b[1]} {b[2]}, repaired {g[1]} {g[2]}")
    if worst:
        return worst, evidence
    if len(bad["observed"]) != len(good["observed"]):
        return "differs", "not the same number of observations"
    return ("differs", differ[0]) if differ else ("same", "")


stored = corpus.truth() if (corpus.HERE / "truth.json").exists() else {}
wanted = [p for p in corpus.programs() if not arguments.names or p.name in arguments.names]
if arguments.new:
    wanted = [p for p in wanted if stored.get(p.name, {}).get("text") != p.fingerprint]
batches = [wanted[i : i + arguments.batch] for i in range(0, len(wanted), arguments.batch)]
precompiled()
measured, bad_truth = {}, 0
for index, batch in enumerate(batches):
    executable = build(f"-new{index}" if arguments.new or arguments.names else index, batch)
    for program in batch:
        good = execute(executable, f"{program.name}.good")
        if good["status"] != "ran":
            print(f"FAIL  {program.name}: repaired program: {good['status']} {good['error']}")
            bad_truth += 1
            continue
        if program.clean:
            measured[program.name] = {"family": "clean", "text": program.fingerprint}
            continue
        bad = execute(executable, f"{program.name}.bad")
        shown, evidence = outcome(bad, good)
        fits = {"differs": {"wrong", "stale"}, "same": set()}.get(shown, {shown})
        # Weights that are not stepped may as well have an undefined or zero gradient.
        if shown in ("undefined", "zero") and "stale" in program.outcomes:
            fits = fits | {"stale"}
        ok = bool(fits & set(program.outcomes)) and bad["status"] in ("ran", "threw")
        if not ok:
            bad_truth += 1
        if not ok or arguments.verbose:
            print(f"{'ok  ' if ok else 'FAIL'}  {program.name}: says {'|'.join(program.outcomes)}, "
                  f"shows {shown} ({bad['status']}) {evidence}")
        line = program.lines[0]
        if not ok:
            continue
        measured[program.name] = {
            "family": program.family,
            "text": program.fingerprint,
            "file": str(program.path.relative_to(corpus.HERE)),
            "line": corpus.MARK.sub("", program.text[line - 1]).strip(),
            "outcome": program.outcomes[0],
            "shown": shown,
            "evidence": evidence[:160],
        }
print(f"{len(measured)} programs measured, {bad_truth} not true to their header")
if arguments.write:
    names = {p.name for p in corpus.programs()}
    stored = {k: v for k, v in {**stored, **measured}.items() if k in names}
    (corpus.HERE / "truth.json").write_text(json.dumps(dict(sorted(stored.items())), indent=1) + "\n")
else:
    for name, facts in measured.items():
        told = stored.get(name, {})
        if any(told.get(k) != facts.get(k) for k in ("family", "line", "outcome", "shown")):
            print(f"FAIL  {name}: truth.json says {told}, measured {facts}")
            bad_truth += 1
sys.exit(1 if bad_truth else 0)
