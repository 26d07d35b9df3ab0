#!/usr/bin/env python3
"""Writes the fact table of the PyTorch that this Python imports.

    python3 -m venv V && V/bin/pip install torch==2.15.0 -r requirements.txt
    V/bin/python generate.py            # writes tables/<version>.tsv
    V/bin/python generate.py --print --only '^(relu|mul\\.Tensor)$'

Everything is run on the CPU; README.md in this folder says what is measured and what derived.
"""

import argparse
import contextlib
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

FORMAT = 1


def say(text):
    print(text, file=sys.stderr)


def load_torch():
    try:
        with contextlib.redirect_stdout(sys.stderr):  # some versions chat on import
            import torch
            import torch.testing._internal.common_methods_invocations  # noqa: F401
            import torch.testing._internal.common_modules  # noqa: F401
    except Exception as error:
        sys.exit(f"generate.py: this Python cannot import PyTorch with its test samples: {error}\n"
                 "Install them: pip install torch==VERSION -r requirements.txt")
    torch.set_num_threads(1)
    return torch


def operator(torch, schema):
    return getattr(getattr(torch.ops.aten, schema.base), schema.overload)


def build(torch, only, jobs, quiet):
    from factgen import derive, formulas, functionals, measure, modules, samples, schemas
    from factgen import recipes, spellings, workers

    progress = (lambda text: None) if quiet else say
    include = os.path.join(torch.__path__[0], "include")
    table = schemas.read_schemas(include)
    progress(f"{len(table)} operators")
    names = spellings.all_spellings(include, table)
    wholes = functionals.rows(spellings.functionals(include, names), names, table)
    progress(f"{len(names)} C++ spellings, {len(wholes)} functionals measured as wholes")
    everything = dict(table)
    everything.update({name: schema for name, (schema, _) in wholes.items()})
    wanted = [n for n in everything if not only or re.search(only, n)]

    started = time.time()
    pools = samples.collect(progress)
    recipes.add(pools, torch)
    progress(f"samples collected in {time.time() - started:.0f} s")
    started = time.time()

    def measured(name):
        schema = everything[name]
        op = wholes[name][1] if name in wholes else operator(torch, schema)
        return measure.measure_overload(op, schema, pools)

    run = [n for n in wanted if not everything[n].is_out_form]
    facts = workers.run(run, measured, progress, jobs=jobs)
    progress(f"{len(run)} operators run in {time.time() - started:.0f} s")
    known = formulas.load()
    rows = [derive.row_of(everything[n], facts.get(n), known.get(n)) for n in sorted(wanted)]
    rows += [r for r in recipes.extra_rows() if not only or re.search(only, r.name)]

    from torch.testing._internal.common_modules import module_db
    module_rows = [modules.measure_module(n, o, module_db)
                   for n, o in modules.cxx_modules(include).items()
                   if not only or re.search(only, n)]
    spelled = [s for s in names.values() if s.op in {r.name for r in rows}]
    return rows, module_rows, spelled, facts, known


def text_of(torch, rows, module_rows, spelled):
    from factgen import derive, modules

    version = torch.__version__.partition("+")[0]
    by_how = {how: sum(r.how == how for r in rows) for how in ("run", "rule", "out", "formula", "schema")}
    head = [
        f"# torch-tidy facts {FORMAT}",
        f"# torch {version}",
        f"# from the Python package torch {torch.__version__} (git {torch.version.git_version}), CPU",
        "# by checks/model/facts/generate.py; the format is told in checks/model/facts/README.md",
        f"# operators {len(rows)}: run {by_how['run']}, rule {by_how['rule']}, out= forms {by_how['out']}, "
        f"formula {by_how['formula']}, schema only {by_how['schema']}; "
        f"spellings {len(spelled)}; modules {len(module_rows)}",
    ]
    lines = sorted(derive.row_text(r) for r in rows)
    lines += sorted(derive.spelling_text(s) for s in spelled)
    lines += sorted(modules.row_text(m) for m in module_rows)
    return "\n".join(head + lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", help="file to write (default: tables/<version>.tsv here)")
    parser.add_argument("--print", action="store_true", help="write to standard output instead")
    parser.add_argument("--only", help="measure only operators and modules that match this")
    parser.add_argument("--raw", help="also write the raw measurements as JSON to this file")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quiet", action="store_true")
    options = parser.parse_args()
    if options.only and not (options.out or options.print):
        parser.error("--only measures a part of the table; give --out or --print with it")
    torch = load_torch()
    rows, module_rows, spelled, facts, known = build(torch, options.only, options.jobs,
                                                     options.quiet)
    text = text_of(torch, rows, module_rows, spelled)
    if options.raw:
        import json
        pathlib.Path(options.raw).write_text(json.dumps({"facts": facts, "formulas": known}))
    if options.print:
        sys.stdout.write(text)
        return
    version = torch.__version__.partition("+")[0]
    out = pathlib.Path(options.out) if options.out else (
        pathlib.Path(__file__).resolve().parent / "tables" / f"{version}.tsv")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(out.name + ".new")
    temporary.write_text(text)
    os.replace(temporary, out)
    if not options.quiet:
        say(f"wrote {out}")


if __name__ == "__main__":
    main()
