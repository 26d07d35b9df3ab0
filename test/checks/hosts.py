"""The hosts under test, and what they share: LibTorch's flags and its precompiled header.

    hosts.py precompile HOSTS.json
    hosts.py check HOSTS.json TEST.cpp

`check` runs one test file through clang-tidy with the module loaded and through torch-tidy. What must
be said stands in comments of the file, in FileCheck's words:

    h.mul_(2); // the line under test
    // CHECK-MESSAGES: :[[@LINE-1]]:5: warning: {{.*}} [definite: throws] [torch-inplace-autograd]
    // CHECK-NOTES: :[[@LINE-7]]:12: note: saved for backward by relu here
    // CHECK-FIXES: h = h.mul(2);

Nothing else may be said: a file without CHECK-MESSAGES must be silent. Notes are looked at where the
file has CHECK-NOTES. torch-tidy says `error` for what is definite, clang-tidy always `warning`; that
is checked here, and the lines compared say `warning`. Where a file has CHECK-FIXES, both hosts must
produce the same repaired file, byte for byte, and it must compile; otherwise --fix must leave it as
it is. `// SHOW-BENIGN` in a file turns that option on.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile


class Hosts:
    def __init__(self, path):
        for name, value in json.loads(pathlib.Path(path).read_text()).items():
            setattr(self, name, value)
        self.work = pathlib.Path(self.work)
        self.work.mkdir(parents=True, exist_ok=True)

    def run(self, args, **options):
        if self.sanitizer and str(args[0]).rpartition("/")[2].startswith("clang-tidy"):
            # A sanitized plugin in a host that is not: the sanitizer's library has to come first.
            options["env"] = {**(options.get("env") or os.environ), "LD_PRELOAD": self.sanitizer}
        return subprocess.run([str(a) for a in args], capture_output=True, text=True, **options)

    def torch_args(self):
        return ["--torch", self.libtorch] if self.libtorch else []

    def flags(self):
        """How torch-tidy compiles a source for which there is no compile database."""
        stored = self.work / "flags.json"
        if not stored.exists():
            source = self.work / "empty.cpp"
            source.write_text("\n")
            run = self.run([self.torch_tidy, "check", source, "--format=sarif", *self.torch_args()],
                           cwd=self.work)
            if run.returncode != 0:
                raise SystemExit(run.stderr)
            programs = json.loads(run.stdout)["runs"][0]["properties"]["programs"]
            stored.write_text(json.dumps(programs[0]["flags"]))
        return json.loads(stored.read_text())

    def libtorch_by(self, option, include=None):
        """The flags with LibTorch's include folders behind another option than -isystem, or with those
        of a LibTorch elsewhere."""
        flags, found = self.flags(), str(self.libtorch_include())
        for i, flag in enumerate(flags):
            if flag == "-isystem" and flags[i + 1].startswith(found):
                flags[i : i + 2] = [option, flags[i + 1].replace(found, str(include or found), 1)]
        return flags

    def libtorch_include(self):
        """The folder that holds ATen/ and torch/."""
        folders = [pathlib.Path(flag) for flag in self.flags() if flag.startswith("/")]
        return next(around for folder in folders for around in (folder, *folder.parents)
                    if (around / "ATen" / "ATen.h").exists())

    def libtorch_of_version(self, folder, version):
        """LibTorch's headers in which nothing but the version is another. The include folder."""
        include, copy = self.libtorch_include(), pathlib.Path(folder) / "include"
        numbers = dict(zip(("MAJOR", "MINOR", "PATCH"), version.split(".")))
        headers = ("torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h")
        real = {copy / parent for h in headers for parent in pathlib.PurePath(h).parents}
        for there in sorted(real):
            original = include / there.relative_to(copy)
            if not original.is_dir():
                continue
            there.mkdir(parents=True, exist_ok=True)
            rooms = ("ATen", "c10", "caffe2", "torch")  # of /usr/include, no more than LibTorch's
            for entry in original.iterdir():
                if there / entry.name in real or (there == copy and entry.name not in rooms):
                    continue
                (there / entry.name).symlink_to(entry)
        for header in headers:
            if (copy / header).exists():
                text = (copy / header).read_text()
                (copy / header).unlink()
                (copy / header).write_text(re.sub(
                    r"(#define TORCH_VERSION_(MAJOR|MINOR|PATCH)) \d+",
                    lambda m: f"{m[1]} {numbers[m[2]]}", text))
        return copy

    def pch(self):
        return self.work / "torch.pch"

    def precompile(self):
        for old in (self.work / "flags.json", self.pch()):
            old.unlink(missing_ok=True)
        header = self.work / "torch_first.h"
        header.write_text("#include <torch/torch.h>\n")
        # Nobody looks into LibTorch's bodies, and what its headers instantiate is instantiated once
        # instead of in every file: a file is read in tenths of a second instead of seconds.
        # Clang 19 knows no option to leave bodies out; its checks take the longer way.
        skip = ["-Xclang", "-skip-function-bodies"] if int(self.llvm) >= 22 else []
        run = self.run([self.clang, "-x", "c++-header", *self.flags(), "-fpch-instantiate-templates",
                        *skip, header, "-o", self.pch()])
        if run.returncode != 0:
            raise SystemExit(run.stderr)

    def with_pch(self):
        return ["-include-pch", str(self.pch())]

    def through_clang_tidy(self, source, fix=False, benign=False, checks="torch-*"):
        config = '{CheckOptions: {ShowBenign: "%s"}}' % str(benign).lower()
        args = [self.clang_tidy, f"--load={self.module}", f"--checks=-*,{checks}",
                f"--config={config}", "--quiet", *(["--fix"] if fix else []), source, "--",
                *self.flags(), *self.with_pch()]
        return self.run(args, cwd=source.parent)

    def through_torch_tidy(self, source, fix=False, benign=False, more=()):
        args = [self.torch_tidy, "check", source, *self.torch_args(), "--fail-on=never",
                *(f"--extra-arg={flag}" for flag in self.with_pch()),
                *(["--fix"] if fix else []), *(["--show-benign"] if benign else []), *more]
        return self.run(args, cwd=source.parent)


EXPECTATION = re.compile(r"// (CHECK-[A-Z-]+:|RUN:).*")
DIAGNOSTIC = re.compile(r"^\S*?([^/\s:]+:\d+:\d+: (?:error|warning|note|remark): .*)$")


def diagnostics(output, is_torch_tidy):
    """The diagnostic lines of a host, without folders, all at clang-tidy's level."""
    lines = []
    for line in output.splitlines():
        match = DIAGNOSTIC.match(line)
        if not match:
            continue
        line = match.group(1)
        if "error: " in line or "warning: " in line:
            certain = "[definite: " in line and "[definite: benign]" not in line
            expected = "error" if is_torch_tidy and certain else "warning"
            if f": {expected}: " not in line and "clang-diagnostic" not in line:
                sys.exit(f"the level should be {expected}: {line}")
            line = line.replace(": error: ", ": warning: ", 1) if is_torch_tidy else line
        if line.endswith(" note: repaired"):
            continue
        lines.append(line)
    return lines


def file_check(hosts, test, text, prefix, forbidden):
    """Forbidden: what may stand in no line that is not expected."""
    if f"{prefix}:" not in test.read_text():
        stray = [line for line in text if re.search(forbidden, line)]
        if stray:
            sys.exit("said, but not expected:\n" + "\n".join(stray))
        return
    args = [hosts.filecheck, test, f"--check-prefix={prefix}", "--input-file=-",
            f"--implicit-check-not={{{{{forbidden}}}}}"]
    run = hosts.run(args, input="\n".join(text) + "\n")
    if run.returncode != 0:
        sys.exit(f"{prefix} differs from what was said:\n{run.stderr}\n---\n" + "\n".join(text))


def check(hosts, test):
    text = test.read_text()
    benign = "// SHOW-BENIGN" in text
    bare = EXPECTATION.sub("//", text)
    repaired = {}
    for name, through in (("clang-tidy", hosts.through_clang_tidy),
                          ("torch-tidy", hosts.through_torch_tidy)):
        with tempfile.TemporaryDirectory(dir=hosts.work) as folder:
            copy = pathlib.Path(folder) / test.name
            copy.write_text(bare)
            run = through(copy, benign=benign)
            if run.returncode != 0:
                sys.exit(f"{name} ended with {run.returncode}:\n{run.stdout}{run.stderr}")
            said = diagnostics(run.stdout + run.stderr, name == "torch-tidy")
            print(f"== {name}", *said, sep="\n")
            file_check(hosts, test, [l for l in said if ": note: " not in l], "CHECK-MESSAGES",
                       "(warning|error|remark):")
            if "CHECK-NOTES:" in text:
                file_check(hosts, test, [l for l in said if ": note: " in l], "CHECK-NOTES", "note:")
            run = through(copy, fix=True, benign=benign)
            if run.returncode != 0:
                sys.exit(f"{name} --fix ended with {run.returncode}:\n{run.stdout}{run.stderr}")
            repaired[name] = copy.read_text()
            if "CHECK-FIXES:" not in text:
                if repaired[name] != bare:
                    sys.exit(f"{name} --fix changed the file, and no CHECK-FIXES expects it:\n"
                             + repaired[name])
                continue
            fixed = hosts.run([hosts.filecheck, test, "--check-prefix=CHECK-FIXES",
                               "--strict-whitespace", f"--input-file={copy}"])
            if fixed.returncode != 0:
                sys.exit(f"{name} --fix made something else:\n{fixed.stderr}\n---\n"
                         + repaired[name])
            compiled = hosts.run([hosts.clang, "-fsyntax-only", "-w", *hosts.flags(),
                                  *hosts.with_pch(), copy])
            if compiled.returncode != 0:
                sys.exit(f"what {name} --fix made does not compile:\n{compiled.stderr}")
    if repaired["clang-tidy"] != repaired["torch-tidy"]:
        sys.exit("the hosts repair differently:\n---- clang-tidy\n" + repaired["clang-tidy"]
                 + "---- torch-tidy\n" + repaired["torch-tidy"])


if __name__ == "__main__":
    hosts = Hosts(sys.argv[2])
    if sys.argv[1] == "precompile":
        hosts.precompile()
    else:
        check(hosts, pathlib.Path(sys.argv[3]))
