"""Compiles programs, many to a translation unit, runs each version in a process of its own, and says
from what was recorded what the difference to the safe version is.
"""
import concurrent.futures
import math
import os
import re
import subprocess

import markup

SHIFTS = ["", *(f"+{n}000" for n in range(1, 8))]  # of the seeds, as in MAIN

HERE = os.path.dirname(os.path.abspath(__file__))

MAIN = r"""
#include <sys/wait.h>
#include <unistd.h>
#include <ATen/Parallel.h>

int main(int argc, char **argv) {
  FILE *file = std::fopen(argv[1], "a");
  if (!std::freopen("/dev/null", "w", stdout))
    return 2;
  for (const probe::Entry &entry : entries)
  for (int64_t shift : {0, 1000, 2000, 3000, 4000, 5000, 6000, 7000}) {
    std::fprintf(file, "BEGIN %s %d\n", entry.name, int(shift));
    std::fflush(file);
    pid_t child = fork();
    if (child == 0) {
      alarm(60);
      at::set_num_threads(1);
      probe::out() = file;
      probe::shift() = shift;
      torch::manual_seed(11 + shift);
      if (entry.doubles)
        torch::set_default_dtype(caffe2::TypeMeta::Make<double>());
      try {
        entry.run();
      } catch (const std::exception &error) {
        std::string what = error.what();
        for (char &c : what)
          if (c == '\n')
            c = ' ';
        std::fprintf(file, "E %s\n", what.substr(0, 300).c_str());
      }
      std::fflush(file);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (status != 0)
      std::fprintf(file, "CRASH %d\n", status);
    std::fprintf(file, "END\n");
    std::fflush(file);
  }
  return 0;
}
"""


class Compiler:
    """How programs are compiled against LibTorch and run."""

    def __init__(self, command, flags, libraries, folder, slot=()):
        self.command, self.flags, self.libraries, self.folder, self.slot = command, list(flags), list(libraries), folder, list(slot)
        os.makedirs(folder, exist_ok=True)

    def run(self, args, **more):
        return subprocess.run([*self.slot, *args], capture_output=True, text=True, **more)

    def precompile(self):
        header = os.path.join(self.folder, "probe.h")
        with open(os.path.join(HERE, "probe.h"), encoding="utf-8") as file:
            text = file.read()
        product = header + (".gch" if "clang" not in os.path.basename(self.command) else ".pch")
        if os.path.exists(header) and open(header, encoding="utf-8").read() == text and os.path.exists(product):
            return
        with open(header, "w", encoding="utf-8") as file:
            file.write(text)
        clang = ["-fpch-instantiate-templates"] if "clang" in os.path.basename(self.command) else []
        done = self.run([self.command, *self.flags, *clang, "-x", "c++-header", header, "-o", product])
        if done.returncode:
            raise SystemExit(done.stderr[-4000:])

    def precompile_for_tool(self):
        """LibTorch's headers as the analyzer wants them: without bodies. None where Clang is not the compiler."""
        if "clang" not in os.path.basename(self.command):
            return None
        product = os.path.join(self.folder, "tool.pch")
        header = os.path.join(self.folder, "probe.h")
        if not os.path.exists(product) or os.path.getmtime(product) < os.path.getmtime(header):
            done = self.run([self.command, *self.flags, "-fpch-instantiate-templates", "-Xclang", "-skip-function-bodies",
                             "-x", "c++-header", header, "-o", product])
            if done.returncode:
                raise SystemExit(done.stderr[-4000:])
        return product

    def build(self, name, source):
        """The executable, or the compiler's complaint as a ValueError."""
        header = os.path.join(self.folder, "probe.h")
        include = ["-include-pch", header + ".pch"] if "clang" in os.path.basename(self.command) else ["-include", header]
        product = os.path.join(self.folder, name)
        done = self.run([self.command, *self.flags, *include, "-ferror-limit=0" if "clang" in os.path.basename(self.command) else "-fmax-errors=0", source, "-o", product, *self.libraries])
        if done.returncode:
            raise ValueError(done.stderr)
        return product


def versions(generated):
    """{name: spelling function} of what must be run."""
    count = markup.spellings(generated.text)
    result = {"safe": lambda k: 1}
    for k in generated.families:
        result[f"only{k}"] = lambda j, k=k: 0 if j == k else 1
        if count.get(k, 2) > 2:
            result[f"other{k}"] = lambda j, k=k: 2 if j == k else 1
    if not generated.families:
        result = {"safe": lambda k: 0}
    return result


def wrapped(generated, name, spelling):
    text = markup.to_run(generated.text, spelling)
    text = re.sub(r"^#include.*$", "", text, flags=re.M).replace("@MAIN@", "int main_() {")
    text = re.sub(r"\bmanual_seed\((\d+)\)", r"manual_seed(\1 + probe::shift())", text)
    entry = "main_" if generated.traits["entry"] == "main" else generated.traits["entry"]
    space = f"p{generated.seed}_{name}"
    return space, f"namespace {space} {{\n#line 1 \"{space}\"\n{text}\n}}\n", f"{space}::{entry}();"


def run_batch(compiler, label, programs):
    """{seed: {version: [event lines]}}; a program that does not compile is left out, with its message under None."""
    broken = {}
    while True:
        texts, table = [], []
        for g in programs:
            for name, spelling in versions(g).items():
                space, text, call = wrapped(g, name, spelling)
                texts.append(text)
                table.append(f'  {{"{g.seed} {name}", [] {{ {call} }}, {"true" if g.doubles else "false"}}},')
        source = os.path.join(compiler.folder, f"{label}.cpp")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(texts) + "\nstatic const probe::Entry entries[] = {\n" + "\n".join(table) + "\n};\n" + MAIN)
        try:
            product = compiler.build(label, source)
            break
        except ValueError as error:
            seeds = {int(s) for s in re.findall(r"^p(\d+)_\w+:\d+:\d+: error", str(error), re.M)}
            if not seeds:
                raise SystemExit(f"{source}:\n{str(error)[:6000]}")
            for seed in seeds:
                broken[seed] = "\n".join(l for l in str(error).split("\n") if l.startswith(f"p{seed}_"))[:1500]
            programs = [g for g in programs if g.seed not in seeds]
            if not programs:
                return {}, broken
    log = os.path.join(compiler.folder, f"{label}.log")
    if os.path.exists(log):
        os.remove(log)
    compiler.run([product, log])
    result, now = {}, None
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("BEGIN "):
                seed, name, shift = line[6:].split()
                now = result.setdefault(int(seed), {}).setdefault(name if shift == "0" else f"{name}+{shift}", [])
            elif line != "END" and now is not None:
                now.append(line)
    os.remove(product)
    return result, broken


#---- outcomes -------------------------------------------------------------------------------------


def numbers(event):
    return [None if t == "u" else tuple(float(x) for x in t.split(":")) for t in event[1:].split()]


def differs(a, b, tolerance):
    if a is None or b is None:
        return a is not b
    if a[0] != b[0]:
        return True
    scale = max(abs(a[1]), abs(b[1]), 1e-30)
    return any(not (abs(x - y) <= tolerance * scale or (math.isnan(x) and math.isnan(y))) for x, y in zip(a[1:], b[1:]))


def steps(events):
    """Events cut after each V."""
    result = [[]]
    for e in events:
        result[-1].append(e)
        if e[0] == "V":
            result.append([])
    return result


def compare(mine, safe, tolerance):
    """The outcome word of `mine` against the safe version's events."""
    if any(e[0] == "C" for e in mine):
        return "crash", mine[-1]
    for my, their in zip(steps(mine), steps(safe)):
        words = []
        for a, b in zip([e for e in my if e[0] == "G"], [e for e in their if e[0] == "G"]):
            for i, (x, y) in enumerate(zip(numbers(a), numbers(b))):
                if y is None:
                    if x is not None and x[1] > 0:
                        words.append("wrong")
                elif x is None:
                    words.append("undefined")
                elif y[1] > tolerance and x[1] <= tolerance * tolerance:
                    words.append("zero")
                elif max(x[1], y[1]) > 1e-12 and differs(x, y, tolerance):
                    words.append("wrong")
        error = next((e for e in my if e[0] == "E"), None)
        if error:
            return "throws", error
        for word in ("undefined", "zero", "wrong"):
            if word in words:
                return word, ""
        for kind, word in (("L", "wrong"), ("V", "stale")):
            for a, b in zip([e for e in my if e[0] == kind], [e for e in their if e[0] == kind]):
                if any(differs(x, y, tolerance) for x, y in zip(numbers(a), numbers(b))):
                    return word, kind
        if len([e for e in my if e[0] == "G"]) != len([e for e in their if e[0] == "G"]):
            return "wrong", "another number of backwards"
    return "benign", ""


def usable(safe):
    """Why a safe version cannot be compared with, or ''."""
    if any(e[0] in "EC" for e in safe):
        return next(e for e in safe if e[0] in "EC")
    if "nan" in " ".join(safe) or "inf" in " ".join(safe):
        return "not finite"
    if not any(e[0] == "G" for e in safe):
        return "no backward"
    return ""


def truths(generated, events):
    """{site: {acceptable outcome words}} or a reason why nothing can be said of this program.

    Every version ran from several seeds: numbers that happen to be all positive, or all negative, or
    masked by a later layer, hide what does harm from others.
    """
    tolerance = 1e-9 if generated.doubles else 3e-5
    shifts = [s for s in SHIFTS if not usable(events.get("safe" + s, ["E not run"]))]
    if not shifts:
        return usable(events["safe"])
    result, details = {}, {}
    for k in generated.families:
        details[k] = ""

        def words(base):
            found = set()
            for s in shifts:
                other = events.get(base + s)
                if other is None or usable(other):
                    continue
                word, detail = compare(events[f"only{k}" + s], other, tolerance)
                details[k] = details[k] or detail
                found.add(word)
            if len(found) > 1:
                found.discard("benign")
            # What another word of the contract says as well: that gradients are those of other rounds,
            # or weights other ones, is the author's word.
            if found == {"stale"} and k not in generated.meant:
                found.add("wrong")  # gradients that are rounding noise alone, which a step makes large
            if found & {"wrong", "undefined", "zero", "stale"}:
                found |= generated.meant.get(k, set())
            return found

        result[k] = words("safe") | words(f"other{k}")
    generated.traits["details"] = details
    return result


def run_all(compiler, programs, batch, jobs):
    batches = [programs[i : i + batch] for i in range(0, len(programs), batch)]
    result, broken = {}, {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done, bad in pool.map(lambda b: run_batch(compiler, f"batch{b[0].seed}", b), batches):
            result.update(done)
            broken.update(bad)
    return result, broken
