"""What derivatives.yaml says (packages from 2.x on ship it): used for operators that cannot be run
here, and to hold the measurements against."""

import pathlib
import re


def load():
    """{operator: {"saves": [(gradient of, "i"/"o", index)], "differentiable": [..] or None}};
    empty where the package has no formulas."""
    try:
        import torchgen
        from torchgen.api.types import BaseCType, OptionalCType, ListCType, VectorCType, tensorT
        from torchgen.api.types import ArrayRefCType, tensorListT
        from torchgen.packaged.autograd.load_derivatives import load_derivatives
    except ImportError:
        return {}
    packaged = pathlib.Path(torchgen.__file__).parent / "packaged"
    derivatives = packaged / "autograd" / "derivatives.yaml"
    native = packaged / "ATen" / "native" / "native_functions.yaml"
    if not derivatives.exists():
        return {}
    infos, _ = load_derivatives(str(derivatives), str(native),
                                str(native.with_name("tags.yaml")))

    def is_tensor(ctype):
        text = str(ctype)
        return "tensor" in text.lower() and "geometry" not in text.lower() \
            and "options" not in text.lower()

    result = {}
    for schema, by_key in infos.items():
        info = by_key.get("Default")
        if info is None:
            continue
        arguments = [a.name for a in schema.arguments.flat_all]
        returns = [r.name for r in info.func.func.returns]
        saves, zero = [], bool(info.derivatives)
        for d in info.derivatives:
            zero = zero and re.fullmatch(
                r"(at::)?zeros(_like|_symint)?\(.*\)|\w+_info\.zeros\(\)", d.formula) is not None
            for variable in d.var_names:
                if variable not in arguments:
                    continue
                of = arguments.index(variable)
                for saved in d.saved_inputs:
                    if is_tensor(saved.nctype.type) and saved.expr in arguments:
                        saves.append((of, "i", arguments.index(saved.expr)))
                for saved in d.saved_outputs:
                    if not is_tensor(saved.nctype.type):
                        continue
                    name = str(saved.nctype.name)
                    if name in returns:
                        saves.append((of, "o", returns.index(name)))
                    elif name.startswith("result") and name[6:].isdigit():
                        saves.append((of, "o", int(name[6:])))
                    else:
                        saves.append((of, "o", 0))
        result[str(schema.name)] = {
            "saves": sorted(set(saves)), "zero": zero, "derivatives": bool(info.derivatives),
            "differentiable": info.output_differentiability,
        }
    return result
