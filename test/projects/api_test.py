#!/usr/bin/env python3
"""PyTorch's own C++ API tests: the statements that must throw for an in-place or leaf reason are
found (but for those listed as not found yet), the rest stays silent.

    api_test.py --tool build/release/bin/torch-tidy --torch LIBTORCH CHECKOUT

CHECKOUT is a checkout of PyTorch; only its test/cpp folder is read. Without one the test is skipped
(TORCH_TIDY_PYTORCH_CHECKOUT names it to CTest).
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# The tests, by file and name, in which a statement must throw because of an in-place write or
# because of what only a leaf (or no leaf) may do.
MUST_THROW = {
    "autograd.cpp": ["AnomalyMode", "ReturnDuplicateInplace"],
    "grad_mode.cpp": ["TestRequiresGradViewOpExiting"],
    "inference_mode.cpp": [
        "TestExistingAutogradSession", "TestMixInferenceAndNormalTensorInplaceOp",
        "TestCreationMetaPropagation", "TestCreationMetaPropagationInput",
        "TestInplaceCopyOnInferenceTensor", "TestInplaceUpdateInferenceTensorWithNormalTensor",
        "TestMixInferenceAndNormalTensorFunctionalOp", "TestSetRequiresGradInNormalMode",
    ],
    "tensor.cpp": ["RequiresGradInplace"],
    "init.cpp": ["CanInitializeTensorThatRequiresGrad"],
}
# These write through one helper of the file, and its line is one finding for all of them.
THROUGH_HELPER = {
    "inference_mode.cpp": ["TestInferenceTensorInNormalModeInplaceOp",
                           "TestNormalTensorViewOutputInNormalMode",
                           "TestHandleDirectViewOnRebase", "TestHandleInDirectViewOnRebase"],
}
# These must throw for other reasons, and are found.
FOR_OTHER_REASONS = {
    "misc.cpp": ["SetsGradModeCorrectly"],
    "module.cpp": ["RegisterModuleThrowsForDuplicateModuleName",
                   "RegisterParameterThrowsForDuplicateModuleName"],
}
# The same, not found so far: operators registered with the dispatcher under a name, methods of
# TensorImpl.
NOT_FOUND_YET = {
    "autograd.cpp": ["InplaceOp", "DoubleInplaceOp", "ViewOp"],
    "inference_mode.cpp": ["TestAccessVersionCounter"],
}

parser = argparse.ArgumentParser()
parser.add_argument("--tool", required=True)
parser.add_argument("--torch")
parser.add_argument("--extra-arg", action="append", default=[])
parser.add_argument("checkout", nargs="?", default=os.environ.get("TORCH_TIDY_PYTORCH_CHECKOUT"))
arguments = parser.parse_args()
folder = pathlib.Path(arguments.checkout or "/nowhere") / "test/cpp/api"
if not folder.is_dir():
    print("no checkout of PyTorch given: skipped")
    sys.exit(77)

with tempfile.TemporaryDirectory() as scratch:
    sarif = pathlib.Path(scratch) / "findings.sarif"
    run = subprocess.run(
        [os.path.abspath(arguments.tool), "check", str(folder.resolve()), "--format=sarif", f"--output={sarif}",
         *([f"--torch={arguments.torch}"] if arguments.torch else []),
         *[f"--extra-arg={flag}" for flag in arguments.extra_arg]],
        cwd=folder, capture_output=True, text=True)
    print(run.stderr if not sarif.exists() else run.stderr[-2000:])
    document = json.loads(sarif.read_text())["runs"][0]


def test_at(name, line):
    """The test around a line, or an empty name in a helper."""
    around = ""
    for number, text in enumerate((folder / name).read_text().splitlines(), 1):
        if number > line:
            break
        if match := re.match(r"TEST(?:_F)?\(\s*\w+,\s*(\w+)\)", text):
            around = match.group(1)
        elif re.match(r"(?:void|torch::Tensor|static|template|namespace)\b", text):
            around = ""
    return around


found = {}
for result in document["results"]:
    places = [result["locations"][0]] + [
        step["location"] for flow in result.get("codeFlows", [])
        for thread in flow["threadFlows"] for step in thread["locations"]
    ] + result.get("relatedLocations", [])
    tests = set()
    for place in places:
        physical = place["physicalLocation"]
        name = pathlib.PurePath(physical["artifactLocation"]["uri"]).name
        if (folder / name).exists():
            tests.add((name, test_at(name, physical["region"]["startLine"])))
    main = result["locations"][0]["physicalLocation"]
    found[f"{main['artifactLocation']['uri']}:{main['region']['startLine']}: "
          f"{result['message']['text']}"] = tests

expected = {(name, test) for name, tests in MUST_THROW.items() for test in tests}
known = {(name, "") for name in THROUGH_HELPER}
bonus = {(name, test) for name, tests in NOT_FOUND_YET.items() for test in tests}
known |= {(name, test) for name, tests in FOR_OTHER_REASONS.items() for test in tests}
hit = set().union(*found.values()) if found else set()
for helper, tests in THROUGH_HELPER.items():
    expected |= {(helper, test) for test in tests}
    if (helper, "") in hit:
        hit |= {(helper, test) for test in tests}
missed = sorted(expected - hit)
false = [text for text, tests in found.items() if not tests & (expected | bonus | known)]
print(f"{len(expected) - len(missed)} of {len(expected)} found, {len(bonus & hit)} of {len(bonus)} "
      f"known not to be, {len(false)} findings elsewhere")
for name, test in missed:
    print(f"missed: {name}: {test}")
for text in false:
    print(f"elsewhere: {text}")
sys.exit(1 if missed or false else 0)
