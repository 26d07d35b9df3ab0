"""From measurements to rows of the table."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Row:
    name: str
    arguments: list  # (name, type, flags)
    outputs: list  # (kind, argument, flags)
    saves: list = field(default_factory=list)  # (gradient of, "i"/"o"/"p", index, always)
    how: str = "schema"  # run, rule, out, formula, schema


def _tensors(schema):
    return [i for i, a in enumerate(schema.arguments) if a.is_tensor or a.is_tensor_list]


# Written by the schema's word, and yet no content changes: the tensor's sizes, strides, names or
# history do. resize_ may show other content, but only what nothing was written to.
METADATA_ONLY = {
    "as_strided_", "detach_", "rename_", "requires_grad_", "resize_", "resize_as_", "retain_grad",
    "squeeze_", "swapaxes_", "swapdims_", "t_", "transpose_", "unsqueeze_",
}


def saves_of(runs):
    """(gradient of, kind, index, always) over all runs in which a graph was made.

    "Always" asks the runs on contiguous arguments, where there are any: of others an operator may
    have to save a copy, which is seldom."""
    made = [run for run in runs if run["how"] != "none"]
    result = []
    for slot, kind, index in sorted({(run["slot"], *item) for run in made
                                     for item in run["saved"]}):
        there = [run for run in made if run["slot"] == slot and (
            index in run["present"] if kind == "i" else
            (kind, index) in run["held"] if kind in "pb" else True)]
        usual = [run for run in there if run.get("contiguous", True)] or there
        result.append((slot, kind, index, all(
            [kind, index] in map(list, run["saved"]) for run in usual)))
    return result


def writes_of(schema, facts, i):
    """(content written, version bumped) of argument i."""
    a = schema.arguments[i]
    if facts is None or not facts["calls"] or schema.is_out_form:
        return a.writes, a.writes
    seen = facts["writes"].get(str(i), [])
    changed, bumped = any(c for _, c in seen), any(b for b, _ in seen)
    if a.writes and schema.base not in METADATA_ONLY:
        return True, True  # some samples have nothing to change (nan_to_num_ without a nan)
    return changed and schema.base not in METADATA_ONLY, bumped


def output_of(schema, facts, k):
    """(kind, argument) of output k."""
    r = schema.returns[k]
    aliased = [i for i, a in enumerate(schema.arguments)
               if r.alias and a.alias and _alias_set(a.alias) & _alias_set(r.alias)]
    seen = [tuple(x) for x in (facts or {}).get("relations", {}).get(str(k), [])]
    own = any(x[2] for x in seen)
    if r.alias and "!" in r.alias and aliased:
        return "S", aliased[0], own
    linked = [x for x in seen if x[0] != "F"]
    if not seen:
        return ("V", aliased[0], False) if aliased else ("F", -1, False)
    if not linked:
        # What the schema calls an alias can be one for other arguments than the samples'.
        return ("M", aliased[0], False) if aliased else ("F", -1, False)
    argument = Counter(x[1] for x in linked).most_common(1)[0][0]
    if len(linked) == len(seen) and all(x[0] == "V" for x in linked):
        return "V", argument, own
    return "M", argument, own


def _alias_set(text):
    return set(text.replace("!", "").split("->")[0].replace("|", " ").split())


def differentiable(schema, facts, formula, k):
    """'' yes, 'n' no, 'z' zero gradient."""
    if schema.is_out_form:
        return "n"
    r = schema.returns[k]
    if not (r.is_tensor or r.is_tensor_list):
        return "n"
    if facts and facts["calls"] and (facts["floats"] or not formula):
        seen = {run["outputs"].get(str(k)) for run in facts["runs"]} - {None}
        if seen & {"flows", "notimpl", "broken", "error"}:
            return ""
        if "zero" in seen:
            return "z"
        if seen or not facts["floats"] or facts["refused"]:
            return "n"
        return "n"
    if formula:
        flags = formula["differentiable"]
        if not formula["derivatives"] or (flags and k < len(flags) and not flags[k]):
            return "n"
        return "z" if formula["zero"] else ""
    if not _tensors(schema):
        return "n"
    return ""


def row_of(schema, facts, formula):
    # Samples of integers alone tell nothing about an operator that has a derivative.
    measured = bool(facts and facts["calls"]) and (
        facts["floats"] or not (formula and formula["derivatives"]))
    arguments = []
    for i, a in enumerate(schema.arguments):
        changed, bumped = writes_of(schema, facts, i)
        # Only a schema's "!" makes an operator an in-place one; batch_norm writes its statistics
        # all the same.
        flags = ("w" if changed and a.writes else "") + ("b" if bumped else "") + (
            "q" if changed and not a.writes else "") + ("d" if a.optional else "")
        arguments.append((a.name, a.type, flags))
    outputs = []
    for k, r in enumerate(schema.returns):
        kind, argument, own = output_of(schema, facts, k)
        flags = differentiable(schema, facts, formula, k)
        if facts and k in facts["multi"]:
            flags += "x"
        if own:
            flags += "c"
        if r.is_tensor_list:
            flags += "l"
        outputs.append((kind, argument, flags))
    row = Row(schema.name, arguments, outputs)
    if schema.is_out_form:
        row.how = "out"
    elif measured:
        row.how = "run"
        row.saves = saves_of(facts["runs"])
        if formula:
            row.saves = sorted(row.saves + _unseen(schema, facts, formula, row.saves))
    elif not _tensors(schema):
        row.how = "rule"
    elif formula:
        row.how = "formula"
        in_place = {i for i, a in enumerate(schema.arguments) if a.writes}
        # An in-place form saves a copy of what it overwrites.
        row.saves = sorted((of, what, index, True) for of, what, index in formula["saves"]
                           if not (what == "i" and index in in_place))
    return row


def _unseen(schema, facts, formula, saves):
    """What the formula saves of arguments that no sample gave (optional weights)."""
    seen = {i for run in facts["runs"] for i in run["present"]}
    made = {run["slot"] for run in facts["runs"] if run["how"] != "none"}
    return [(of, kind, i, True) for of, kind, i in formula["saves"]
            if kind == "i" and (i not in seen or of not in made) and (of not in seen or of in made)
            and not schema.arguments[i].writes and (of, kind, i) not in [s[:3] for s in saves]]


# --------------------------------------------------------------------------------------- text


def saves_text(saves):
    return ",".join(f"{of}<{kind}{index}" + ("" if always else "?")
                    for of, kind, index, always in saves) or "-"


def row_text(row):
    arguments = ",".join(f"{n}:{t}" + (f":{f}" if f else "") for n, t, f in row.arguments) or "-"
    outputs = ",".join(kind + (str(a) if a >= 0 else "") + (f":{flags}" if flags else "")
                       for kind, a, flags in row.outputs) or "-"
    return "\t".join(("op", row.name, arguments, outputs, saves_text(row.saves), row.how))


def spelling_text(s):
    return "\t".join((
        "cc", s.kind, s.name, ",".join(s.parameters) or "-", s.op,
        ",".join(map(str, s.argument_of)) or "-",
        str(s.in_place_parameter) if s.in_place_op else "-", s.in_place_op or "-"))
