"""C++ spellings of the operators, read from the package's headers: which overload a method or
function calls, and which operator argument each of its parameters feeds."""

import pathlib
import re
from dataclasses import dataclass, field

from .normalform import normal_form
from .schemas import split_top


@dataclass
class Spelling:
    kind: str  # "m" method, "f" function, "n" torch::nn::functional
    name: str
    parameters: list
    op: str
    argument_of: list
    in_place_parameter: int = -1
    in_place_op: str = ""

    def key(self):
        return self.kind, self.name, tuple(self.parameters)


@dataclass
class Function:
    """An inline function of a header."""
    name: str
    parameters: list  # (type, name)
    body: str
    path: tuple = ()  # namespaces

    @property
    def types(self):
        return [normal_form(t) for t, _ in self.parameters]

    @property
    def names(self):
        return [n for _, n in self.parameters]


def strip_comments(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text)


def matching(text, start, pair="()"):
    """The index of the bracket that closes the one at start."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == pair[0]:
            depth += 1
        elif text[i] == pair[1]:
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("unbalanced brackets")


def parameters_of(text):
    result = []
    for part in split_top(text):
        part = re.sub(r"\s*=(?!=).*$", "", part, flags=re.S).strip()
        m = re.match(r"^(.*?)\s*(\b\w+)$", part, flags=re.S)
        if m and m[1].strip() and m[1].strip() not in ("const", "unsigned"):
            result.append((m[1].strip(), m[2]))
        elif part:
            result.append((part, ""))
    return result


_DEFINITION = re.compile(r"\binline\s+(?:constexpr\s+)?([\w:<>,&*\s]+?)\s*\b((?:Tensor::)?\w+)\s*\(")


def inline_functions(text):
    """Every inline function definition, with the namespaces around it."""
    text = strip_comments(text)
    events = []  # (position, +name / None)
    for m in re.finditer(r"\bnamespace\s+([\w:]+)\s*\{", text):
        events.append((m.start(), m[1].split("::"), matching(text, m.end() - 1, "{}")))
    for m in _DEFINITION.finditer(text):
        open_at = m.end() - 1
        close = matching(text, open_at)
        brace = re.match(r"\s*(?:const\s*)?(?:noexcept\s*)?\{", text[close + 1:])
        if not brace:
            continue
        begin = close + brace.end()
        body = text[begin + 1:matching(text, begin, "{}")]
        path = tuple(n for start, names, end in events if start < m.start() < end for n in names)
        yield Function(m[2], parameters_of(text[open_at + 1:close]), body, path)


_DIRECT = re.compile(r"return at::_ops::(\w+)::call\((.*)\);", re.S)


def argument_map(call_arguments, names):
    """For each parameter, the position of the call argument that mentions it, or -1."""
    result = []
    for name in names:
        # "name_" is a local of the wrapper: the parameter after a conversion.
        found = [i for i, a in enumerate(call_arguments)
                 if name and re.search(rf"\b{re.escape(name)}_?\b", a)]
        result.append(found[0] if found else -1)
    return result


def aten_spellings(include, schemas):
    by_struct = {s.struct: s for s in schemas.values()}
    result = {}

    def add(kind, function, name):
        m = _DIRECT.search(function.body)
        if not m or m[1] not in by_struct:
            return
        spelling = Spelling(kind, name, function.types, by_struct[m[1]].name,
                            argument_map(split_top(m[2]), function.names))
        result.setdefault(spelling.key(), spelling)

    body = pathlib.Path(include, "ATen", "core", "TensorBody.h").read_text()
    for function in inline_functions(body):
        if function.name.startswith("Tensor::"):
            add("m", function, function.name[8:])
    for header in sorted(pathlib.Path(include, "ATen", "ops").glob("*.h")):
        if header.stem.endswith(("_ops", "_native", "_dispatch")) and not (
                header.with_name(header.stem + "_ops.h").exists()):
            continue
        for function in inline_functions(header.read_text()):
            if function.path == ("at",):
                add("f", function, function.name)
    return result


def method(spellings, name, types):
    """The method that takes these parameters first, and defaults for the others."""
    fits = [s for (kind, other, parameters), s in spellings.items()
            if kind == "m" and other == name and list(parameters[:len(types)]) == types]
    return min(fits, key=lambda s: len(s.parameters), default=None)


def tensor_operators(include, spellings):
    """operator+=, operator[] ...: the members of at::Tensor that only name another method."""
    text = strip_comments(pathlib.Path(include, "ATen", "core", "TensorBody.h").read_text())
    pattern = re.compile(r"Tensor\s*&?\s+(operator\S+?)\s*\(([^)]*)\)\s*(?:const)?\s*\{\s*"
                         r"return (\w+)\((\w*)\);")
    for m in pattern.finditer(text):
        parameters = parameters_of(m[2])
        types = [normal_form(t) for t, _ in parameters]
        target = method(spellings, m[3], types)
        if target and m[4] == (parameters[0][1] if parameters else ""):
            s = Spelling("m", m[1], types, target.op, target.argument_of[:len(types)])
            spellings.setdefault(s.key(), s)


def free_operators(include, spellings):
    """operator+(Tensor, Tensor) and its kin, from ATen's own list of them."""
    text = pathlib.Path(include, "ATen", "TensorOperators.h").read_text().replace("\\\n", "")
    for symbol, name, reverse in re.findall(
            r"_\(([^,\s(]+),\s*x\.(\w+)\(y\),\s*([^\n]*?)\)\s*(?=_\(|\n)", text):
        for left, right in (("Tensor", "Tensor"), ("Tensor", "Scalar")):
            target = method(spellings, name, [right])
            if target:
                s = Spelling("f", "operator" + symbol, [left, right], target.op, [0, 1])
                spellings.setdefault(s.key(), s)
        m = re.match(r"y\.(\w+)\(x\)", reverse.strip())
        target = m and method(spellings, m[1], ["Scalar"])
        if target:
            s = Spelling("f", "operator" + symbol, ["Scalar", "Tensor"], target.op, [1, 0])
            spellings.setdefault(s.key(), s)


def call_target(spellings, name, arguments, types):
    """The function spelling that a call with these argument types means ('' matches anything)."""
    best = []
    for (kind, other, parameters), s in spellings.items():
        if kind != "f" or other != name or len(parameters) < len(arguments):
            continue
        score = 0
        for have, want in zip(types, parameters):
            if have == want:
                score += 2
            elif not have or have in ("int", "float") and want == "Scalar" or (
                    have == "int" and want in ("float", "int[]", "bool")):
                score += 1
            else:
                score = -1
                break
        if score >= 0:
            best.append((score, -len(parameters), s))
    best.sort(key=lambda b: b[:2], reverse=True)
    return best[0][2] if best else None


def wrapper_spellings(include, spellings):
    """torch::special::f and the like call torch::special_f; where the parameters' types differ
    from those of the function called, the wrapper gets a row of its own."""
    api = pathlib.Path(include, "torch", "csrc", "api", "include", "torch")
    for stem in ("special", "fft", "linalg", "sparse", "nested"):
        header = api / f"{stem}.h"
        if not header.exists():
            continue
        for function in inline_functions(header.read_text()):
            if "detail" in function.path:
                continue
            m = re.search(r"return (?:torch|at|detail)::(\w+)\((.*)\);", function.body, re.S)
            if not m:
                continue
            arguments = split_top(m[2])
            names = dict(zip(function.names, function.types))
            types = [names.get(a, "") for a in arguments]
            callee = m[1] if m[1].startswith(stem) else f"{stem}_{m[1]}"
            target = call_target(spellings, callee, arguments, types) or call_target(
                spellings, m[1], arguments, types)
            if not target:
                continue
            positions = argument_map(arguments, function.names)
            mapped = [target.argument_of[p] if p >= 0 else -1 for p in positions]
            name = function.name if function.name.startswith(stem) else f"{stem}_{function.name}"
            s = Spelling("f", name, function.types, target.op, mapped)
            spellings.setdefault(s.key(), s)


def factory_spellings(include, spellings):
    """torch::ones and its kin (variable_factories.h) take the place of at::ones."""
    header = pathlib.Path(include, "torch", "csrc", "autograd", "generated", "variable_factories.h")
    for function in inline_functions(header.read_text()):
        key = ("f", function.name, tuple(function.types))
        if key in spellings:
            continue
        callee = re.search(r"make_variable\(at::(\w+)\(", function.body)
        if not callee:
            continue
        target = spellings.get(("f", callee[1], tuple(function.types)))
        if target:
            s = Spelling("f", function.name, function.types, target.op, target.argument_of)
            spellings.setdefault(s.key(), s)


def index_spellings(spellings):
    """Tensor::index and index_put_ with an index list, which ATen writes by hand."""
    for name, types, op in (
            ("index", ["index"], "index.TensorIndex"),
            ("index_put_", ["index", "Tensor"], "index_put_.TensorIndex"),
            ("index_put_", ["index", "Scalar"], "index_put_.TensorIndexScalar")):
        s = Spelling("m", name, types, op, list(range(1, len(types) + 1)))
        spellings.setdefault(s.key(), s)


def all_spellings(include, schemas):
    result = aten_spellings(include, schemas)
    tensor_operators(include, result)
    free_operators(include, result)
    wrapper_spellings(include, result)
    factory_spellings(include, result)
    index_spellings(result)
    return result


# ------------------------------------------------------------------------ torch::nn::functional

_CALL = re.compile(r"\b(?:torch|at)::(\w+)\s*\(")
_NO_OP = {"Reduction", "nn", "ArrayRef", "globalContext", "isTensorSubclassLike", "GradMode"}


@dataclass
class Functional:
    """A function of torch::nn::functional: which operator it is, or that it is several."""
    function: Function
    op: str = ""
    in_place_op: str = ""
    argument_of: list = field(default_factory=list)
    in_place_parameter: int = -1


def functional_headers(include):
    return sorted(pathlib.Path(include, "torch", "csrc", "api", "include", "torch", "nn",
                               "functional").glob("*.h"))


def _torch_calls(body):
    for m in _CALL.finditer(body):
        if m[1] not in _NO_OP:
            yield m[1], split_top(body[m.end():matching(body, m.end() - 1)])


def _simple(function, spellings):
    """(target, positions, in-place target) where the body is one operator call, or one call and
    its in-place twin under `if (inplace)`; else None."""
    body = function.body
    without_checks = re.sub(r"TORCH_(CHECK|WARN|INTERNAL_ASSERT)\s*\((?:[^()]|\((?:[^()]|"
                            r"\((?:[^()]|\([^()]*\))*\))*\))*\);", "", body)
    calls = list(_torch_calls(without_checks))
    names = {n for n, _ in calls}
    plain = {n.rstrip("_") for n in names}
    if len(plain) != 1 or len(names) > 2:
        return None
    if any(len(a) != len(calls[0][1]) for _, a in calls):
        return None
    # What is done to the operands before or after would be lost.
    rest = _CALL.sub("CALL(", without_checks)
    if re.search(r"\b(?:input|weight|target|result|output|ret|reduced)\s*=(?!=|\s*CALL)", rest):
        return None
    if re.search(r"\breturn (?:-|input|1)", rest) or re.search(r"\)\s*[-+*/]\s*\w", rest):
        return None
    if re.search(r"\breturn [^;]*\)\s*\.\w+\(", rest):
        return None
    types = dict(zip(function.names, function.types))
    arguments = calls[0][1]
    have = [types.get(a, "") for a in arguments]
    plain_name = next(iter(plain))
    target = call_target(spellings, plain_name, arguments, have)
    if target is None:
        return None
    twin = call_target(spellings, plain_name + "_", arguments, have) if (
        plain_name + "_" in names) else None
    positions = argument_map(arguments, function.names)
    mapped = [target.argument_of[p] if 0 <= p < len(target.argument_of) else -1
              for p in positions]
    return target, mapped, twin


def functionals(include, spellings):
    """Every function of torch::nn::functional with what it calls, where that is one operator."""
    inner, outer = {}, []
    for header in functional_headers(include):
        for function in inline_functions(header.read_text()):
            if "detail" in function.path:
                inner.setdefault(function.name, function)
            elif function.path[-1:] == ("functional",):
                outer.append(function)
    result = []
    for function in list(inner.values()) + outer:
        if function.name.startswith("_"):
            continue
        item = Functional(function, argument_of=[-1] * len(function.parameters))
        for i, (type_, name) in enumerate(function.parameters):
            if name == "inplace" or (function.types[i] == "options" and re.search(
                    rf"\b{name}\.inplace\(\)", function.body)):
                item.in_place_parameter = i
        m = re.search(r"return detail::(\w+)\s*\(", function.body)
        if m and m[1] in inner and function not in inner.values():
            arguments = split_top(function.body[m.end():matching(function.body, m.end() - 1)])
            arguments = [re.sub(r"^std::move\((\w+)\)$", r"\1", a) for a in arguments]
            simple = _simple(inner[m[1]], spellings)
            if simple:
                target, mapped, twin = simple
                item.op, item.in_place_op = target.op, twin.op if twin else ""
                item.argument_of = [
                    mapped[arguments.index(n)] if n in arguments and
                    arguments.index(n) < len(mapped) else -1 for n in function.names]
        else:
            simple = _simple(function, spellings)
            if simple:
                target, item.argument_of, twin = simple
                item.op, item.in_place_op = target.op, twin.op if twin else ""
        result.append(item)
    return result
