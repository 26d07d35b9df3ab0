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


def saves_of(runs):
    """(gradient of, kind, index, always) over all runs in which a graph was made."""
    made, saved, chances = Counter(), Counter(), Counter()
    for run in runs:
        if run["how"] == "none":
            continue
        slot = run["slot"]
        made[slot] += 1
        for item in run["saved"]:
            saved[(slot, *item)] += 1
    for (slot, kind, index) in saved:
        for run in runs:
            there = (index in run["present"] if kind == "i" else
                     (kind, index) in run["held"] if kind in "pb" else True)
            if run["slot"] == slot and run["how"] != "none" and there:
                chances[(slot, kind, index)] += 1
    return sorted((*key, count >= chances[key]) for key, count in saved.items())


def writes_of(schema, facts, i):
    """(content written, version bumped) of argument i."""
    a = schema.arguments[i]
    if facts is None or not facts["calls"] or schema.is_out_form:
        return a.writes, a.writes
    seen = facts["writes"].get(str(i), [])
    changed, bumped = any(c for _, c in seen), any(b for b, _ in seen)
    return changed, bumped


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
    if facts and facts["calls"]:
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
    measured = bool(facts and facts["calls"])
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
    elif not _tensors(schema):
        row.how = "rule"
    elif formula:
        row.how = "formula"
        in_place = {i for i, a in enumerate(schema.arguments) if a.writes}
        # An in-place form saves a copy of what it overwrites.
        row.saves = sorted((of, what, index, True) for of, what, index in formula["saves"]
                           if not (what == "i" and index in in_place))
    return row


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
