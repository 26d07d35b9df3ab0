"""The normal form of C++ parameter types: the same rules as normalForm() in ../FactTable.cpp (the
tests hold every type in the tables against that one)."""

import re

_WRAPPERS = {"optional", "OptionalRef", "MaybeOwned", "reference_wrapper", "OptionalArrayRef"}
_LISTS = {"ArrayRef", "IListRef", "List", "vector", "array", "initializer_list", "OptionalArrayRef",
          "ExpandingArray", "SmallVector", "HeaderOnlyArrayRef", "ExpandingArrayWithOptionalElem"}
_NAMES = {
    "TensorBase": "Tensor", "OptionalTensorRef": "Tensor", "TensorRef": "Tensor",
    "TensorList": "Tensor[]", "ITensorListRef": "Tensor[]", "IOptTensorListRef": "Tensor[]",
    "IntArrayRef": "int[]", "SymIntArrayRef": "int[]", "OptionalIntArrayRef": "int[]",
    "OptionalSymIntArrayRef": "int[]", "DimnameList": "Dimname[]",
    "SymInt": "int", "int64_t": "int", "int32_t": "int", "long": "int", "long long": "int",
    "long int": "int", "unsigned": "int", "unsigned int": "int", "unsigned long": "int",
    "size_t": "int", "uint64_t": "int", "int8_t": "int", "uint8_t": "int", "int16_t": "int",
    "short": "int", "unsigned long long": "int", "DeviceIndex": "int", "signed char": "int",
    "double": "float", "SymFloat": "float", "SymBool": "bool",
    "string_view": "str", "string": "str", "basic_string_view": "str", "basic_string": "str",
    "char": "str", "TypeMeta": "ScalarType", "TensorIndex": "index",
    "ExpandingArray": "int[]", "ExpandingArrayWithOptionalElem": "int[]",
}


def normal_form(text):
    text = text.strip()
    text = re.sub(r"\b(const|volatile|struct|class|enum|typename)\b", " ", text)
    text = text.replace("&", " ").replace("*", " ")
    text = re.sub(r"\[\d*\]\s*$", "", text) if re.search(r"\bchar\b", text) else text
    text = re.sub(r"\s+", " ", text).strip()
    outer, _, inner = text.partition("<")
    outer = outer.strip().rpartition("::")[2]
    if not inner:
        if outer.endswith("Options") and outer != "TensorOptions":
            return "options"
        return _NAMES.get(outer, outer)
    inner = inner.rstrip()
    while inner and not inner.endswith(">"):  # "optional<..>::type"
        inner = inner[:-1]
    first = _first(inner[:-1])
    if outer == "OptionalArrayRef" or outer in _LISTS and not outer.startswith("Expanding"):
        element = normal_form(first)
        return "index" if element == "index" else element + "[]"
    if outer in _WRAPPERS:
        return normal_form(first)
    return _NAMES.get(outer, outer)


def _first(text):
    depth = 0
    for i, ch in enumerate(text):
        depth += ch in "<(" and 1 or 0
        depth -= ch in ">)" and 1 or 0
        if ch == "," and depth == 0:
            return text[:i]
    return text
