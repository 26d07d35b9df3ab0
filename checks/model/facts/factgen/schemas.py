"""Operator schemas, read from the package's own headers (ATen/ops/*_ops.h).

The headers are the one source that every PyTorch package ships, 1.13's included, and the one that
C++ programs are compiled against; native_functions.yaml only ships from 2.x on.
"""

import pathlib
import re
from dataclasses import dataclass, field


@dataclass
class Argument:
    name: str
    type: str  # without alias annotation
    alias: str = ""  # "a", "a!", "a -> *", ... or empty
    optional: bool = False  # has a default value
    kwarg_only: bool = False

    @property
    def writes(self):
        return "!" in self.alias

    @property
    def is_tensor(self):
        return self.type in ("Tensor", "Tensor?")

    @property
    def is_tensor_list(self):
        return self.type.startswith("Tensor") and "[" in self.type


@dataclass
class Schema:
    name: str  # "mul_.Tensor"
    struct: str = ""  # "mul__Tensor", the name in at::_ops
    arguments: list = field(default_factory=list)
    returns: list = field(default_factory=list)

    @property
    def base(self):
        return self.name.rpartition("::")[2].partition(".")[0]

    @property
    def overload(self):
        return self.name.partition(".")[2] or "default"

    @property
    def is_out_form(self):
        """The out= forms: they take the tensor to write as a keyword and return it."""
        return any(a.kwarg_only and a.writes for a in self.arguments)


def split_top(text, separator=","):
    """Splits at separators that stand outside brackets, angles and quotes."""
    parts, depth, current, quote = [], 0, "", ""
    for i, ch in enumerate(text):
        if quote:
            quote = "" if ch == quote else quote
        elif ch in "\"'":
            quote = ch
        elif ch in "([{<":
            depth += 1
        elif ch in ")]}" or (ch == ">" and text[i - 1] != "-"):
            depth -= 1
        elif ch == separator and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        current += ch
    if current.strip():
        parts.append(current.strip())
    return parts


_ARGUMENT = re.compile(
    r"^(?P<base>\w+)(?:\((?P<alias>[^)]*)\))?(?P<suffix>(?:\[\d*\]|\?)*)"
    r"(?:\s+(?P<name>\w+))?(?:=(?P<default>.*))?$"
)


def _argument(text, kwarg_only=False):
    m = _ARGUMENT.match(text)
    if not m:
        raise ValueError(f"cannot read the schema argument '{text}'")
    suffix = re.sub(r"\[\d+\]", "[]", m["suffix"])
    return Argument(m["name"] or "", m["base"] + suffix, m["alias"] or "",
                    m["default"] is not None, kwarg_only)


def parse_schema(text, struct=""):
    head, _, returns = text.rpartition("->")
    name, _, arguments = head.strip().partition("(")
    schema = Schema(name, struct)
    kwarg_only = False
    for part in split_top(arguments.strip()[:-1]):
        if part == "*":
            kwarg_only = True
            continue
        schema.arguments.append(_argument(part, kwarg_only))
    returns = returns.strip()
    if returns.startswith("("):
        returns = returns[1:-1]
    schema.returns = [_argument(r) for r in split_top(returns)]
    return schema


def read_schemas(include):
    """All overloads of an include directory, by name."""
    schemas = {}
    for header in sorted(pathlib.Path(include, "ATen", "ops").glob("*_ops.h")):
        text = header.read_text()
        structs = re.findall(r"struct TORCH_API (\w+) \{", text)
        strings = re.findall(r'schema_str(?: =|,) "(.*)"', text)
        if len(structs) != len(strings):
            raise ValueError(f"{header}: {len(structs)} operators but {len(strings)} schemas")
        for struct, string in zip(structs, strings):
            schema = parse_schema(string.replace('\\"', '"'), struct)
            schemas[schema.name] = schema
    if not schemas:
        raise ValueError(f"no operator headers below {include}/ATen/ops")
    return schemas
