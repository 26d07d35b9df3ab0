"""The corpus: LibTorch programs as people post them when training does not do what they expect.

One source holds both variants of a program, the defect as reported and its repair, told apart by
marks at the end of lines:

    opt.step();        //-     only with the defect
    loss.backward();   //+     only in the repaired program
    out.relu_();       //@     in both; a finding is expected on this line
    h.mul_(2);         //-@    only with the defect, and expected there (the first such line is
                               the best place, the others are accepted)
    //= model                  measured here: the gradients and weights of `model` (a module, a
                               tensor, or a vector of tensors)

The first line says what the program is: `// family, outcome: what its author did wrong.` (where two
outcomes describe the defect equally well, both are given: `stale|undefined`), or `// clean: why it
looks suspicious and is not.` Marks are taken off, and lines of the other variant left blank, so that
lines keep their numbers in both.
"""
import hashlib
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
OUTCOMES = {"throws", "undefined", "zero", "wrong", "stale"}
MARK = re.compile(r"\s*//(-@|-|\+|@)\s*$")


class Program:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.text = path.read_text(encoding="utf-8").split("\n")
        self.fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        head = re.match(r"// ([a-z-]+)(?:, ([a-z|]+))?: (\S.*)$", self.text[0])
        if not head:
            raise SystemExit(f"{path}: the first line must say what the program is")
        self.family = head.group(1)
        self.outcomes = head.group(2).split("|") if head.group(2) else []
        self.clean = self.family == "clean"
        if self.clean == bool(self.outcomes) or not set(self.outcomes) <= OUTCOMES:
            raise SystemExit(f"{path}: outcome {self.outcomes} of family {self.family}")
        marks = [(i, m.group(1)) for i, m in enumerate(map(MARK.search, self.text), 1) if m]
        #: line numbers where the finding may stand, the best first
        self.lines = [i for i, mark in marks if mark in ("-@", "@")]
        if not self.clean and (not self.lines or not {m for _, m in marks} & {"-", "-@", "+"}):
            raise SystemExit(f"{path}: a defect needs a line (//@ or //-@) and a repair (//- or //+)")

    def variant(self, defect, measured=False):
        """The text with the defect or repaired; measured: with calls of observe()."""
        lines = []
        for line in self.text:
            mark = MARK.search(line)
            kind = mark.group(1) if mark else ""
            observe = re.match(r"\s*//= (.*)$", line)
            if observe:
                line = f"tt_observe({observe.group(1).strip()});" if measured else ""
            elif mark:
                line = "" if kind[0] == ("+" if defect else "-") else line[: mark.start()]
            lines.append(line)
        return "\n".join(lines)


def programs():
    found = [Program(path) for path in sorted(HERE.glob("*/*.cpp"))]
    names = [p.name for p in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SystemExit(f"two programs are called {', '.join(sorted(twice))}")
    return found


def write(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def truth():
    return json.loads((HERE / "truth.json").read_text(encoding="utf-8"))
