"""Program texts of which several versions exist.

    «k|as written|safe»     what stands at suspicious site k, and its safe spelling; a third and
                            further alternatives are other spellings that are just as safe
    §k§                     the line that must be changed to repair site k
    ‹probe::loss(loss);›    only in the program that is run
"""
import re
from dataclasses import dataclass, field

ALTERNATIVES = re.compile(r"«(\d+)\|(.*?)»", re.S)
MARK = re.compile(r"§(\d+)§")
PROBE = re.compile(r"‹(.*?)›", re.S)


@dataclass
class Generated:
    """One program."""

    seed: int
    text: str
    families: dict  # of what kind each site is
    ambiguous: set  # sites whose harm depends on what the author meant
    meant: dict  # site: outcome words that are as right as the one observed
    doubles: bool  # runs in fp64, so that rounding is no difference
    traits: dict = field(default_factory=dict)


def site(number, *alternatives):
    assert all("|" not in a or "||" in a for a in alternatives), alternatives
    return "«%d|%s»" % (number, "|".join(a.replace("||", "¦¦") for a in alternatives))


def choose(text, spelling):
    """spelling(site number) -> index of the alternative."""

    def pick(match):
        alternatives = match.group(2).split("|")
        return alternatives[min(spelling(int(match.group(1))), len(alternatives) - 1)]

    return ALTERNATIVES.sub(pick, text).replace("¦¦", "||")


def spellings(text):
    """{site: number of alternatives}"""
    result = {}
    for match in ALTERNATIVES.finditer(text):
        count = match.group(2).count("|") + 1
        result[int(match.group(1))] = max(count, result.get(int(match.group(1)), 0))
    return result


def as_written(text):
    """What a user would have in a file, and {site: [its lines]}."""
    text = PROBE.sub("", choose(text, lambda k: 0))
    lines, marks = [], {}
    for line in text.split("\n"):
        marked = [int(k) for k in MARK.findall(line)]
        line = MARK.sub("", line).rstrip()
        if not line and lines and not lines[-1] and not marked:
            continue
        lines.append(line)
        for k in marked:
            marks.setdefault(k, []).append(len(lines))
    return "\n".join(lines), marks


def to_run(text, spelling):
    return PROBE.sub(lambda m: " " + m.group(1), MARK.sub("", choose(text, spelling)))
