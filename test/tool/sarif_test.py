"""The findings file: SARIF 2.1.0, as the contract, GitHub code scanning and `confirm` read it."""
import json
import unittest

from tool_testing import CHECK, DEFECT, HOSTS, ToolTest

try:
    from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Schema
except ImportError:
    Schema = None


class Sarif(ToolTest):
    def one(self, text, name="defect.cpp"):
        self.write(name, text)
        run, process = self.sarif(name)
        self.assertEqual(process.returncode, 1, process.stderr)
        [result] = run["results"]
        return run, result

    def test_result_has_what_the_contract_names(self):
        run, result = self.one(DEFECT)
        self.assertEqual(result["ruleId"], CHECK)
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        self.assertEqual(rule["id"], CHECK)
        self.assertEqual(result["level"], "error")
        self.assertEqual(result["properties"]["outcome"], "throws")
        self.assertEqual(result["properties"]["certainty"], "definite")
        [location] = result["locations"]
        place = location["physicalLocation"]
        self.assertEqual(place["artifactLocation"], {"uri": "defect.cpp", "uriBaseId": "%SRCROOT%"})
        region = place["region"]
        self.assertEqual((region["startLine"], region["startColumn"]), (6, 5))
        self.assertEqual((region["endLine"], region["endColumn"]), (6, 9))
        offset = region["byteOffset"]
        self.assertEqual(DEFECT[offset:offset + region["byteLength"]], "mul_")
        self.assertEqual(run["originalUriBaseIds"]["%SRCROOT%"]["uri"], f"file://{self.folder}/")
        steps = result["codeFlows"][0]["threadFlows"][0]["locations"]
        self.assertTrue(steps)
        for step in steps:
            self.assertTrue(step["location"]["message"]["text"])
        self.assertEqual(len(result["relatedLocations"]), len(steps))

    def test_fix_is_byte_exact(self):
        _, result = self.one("// ünïcödé\n" + DEFECT)
        [change] = result["fixes"][0]["artifactChanges"]
        data = bytearray(("// ünïcödé\n" + DEFECT).encode())
        for edit in sorted(change["replacements"], key=lambda r: -r["deletedRegion"]["byteOffset"]):
            begin = edit["deletedRegion"]["byteOffset"]
            end = begin + edit["deletedRegion"]["byteLength"]
            data[begin:end] = edit["insertedContent"]["text"].encode()
        self.check("defect.cpp", "--fix")
        self.assertEqual(bytes(data), (self.folder / "defect.cpp").read_bytes())
        self.assertNotIn(b"mul_", data)

    def test_columns_count_characters(self):
        _, result = self.one(DEFECT.replace("  h.mul_(2);", "  /* ∂L/∂w */ h.mul_(2);"))
        region = result["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(region["startColumn"], len("  /* ∂L/∂w */ h.") + 1)

    def test_fingerprints_stay_when_lines_move_and_tell_equal_lines_apart(self):
        _, before = self.one(DEFECT)
        _, after = self.one(DEFECT.replace("void train", "// more\n\nint more;\n\nvoid train")
                            .replace("  h.mul_(2);", "    h.mul_(2);"))
        self.assertEqual(before["partialFingerprints"], after["partialFingerprints"])
        _, renamed = self.one(DEFECT.replace("train", "test"))
        self.assertNotEqual(before["partialFingerprints"], renamed["partialFingerprints"])
        self.write("twice.cpp", DEFECT + DEFECT.replace("void train(torch::Tensor x)",
                                                        "void train(torch::Tensor x, int)"))
        run, _ = self.sarif("twice.cpp")
        self.assertEqual(len({r["partialFingerprints"]["torchTidy/v1"] for r in run["results"]}), 2)

    def test_rules_carry_what_code_scanning_reads(self):
        run, _ = self.one(DEFECT)
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual([r["id"] for r in rules], sorted(r["id"] for r in rules))
        for rule in rules:
            self.assertIn(rule["properties"]["precision"], ("very-high", "high", "medium", "low"))
            self.assertIn(rule["properties"]["problem.severity"],
                          ("error", "warning", "recommendation"))
            self.assertTrue(rule["shortDescription"]["text"].endswith("."))
            self.assertIn(f"# {rule['id']}", rule["help"]["markdown"])

    def test_sources_say_how_to_build_the_program_again(self):
        run, _ = self.one(DEFECT)
        self.assertEqual(run["properties"]["sources"], [["defect.cpp"]])
        [group] = run["properties"]["programs"]
        self.assertEqual(group["files"], ["defect.cpp"])
        self.assertEqual(run["invocations"][0]["workingDirectory"]["uri"], f"file://{self.folder}/")
        source = self.folder / "again.cpp"
        source.write_text((self.folder / "defect.cpp").read_text())
        compiled = HOSTS.run([HOSTS.clang, "-fsyntax-only", *group["flags"], source],
                             cwd=group["directory"])
        self.assertEqual(compiled.returncode, 0, compiled.stderr)

    def test_what_was_missing_is_told(self):
        self.write("image.cpp", "#include <opencv2/opencv.hpp>\n" + DEFECT)
        run, process = self.sarif("image.cpp")
        [invocation] = run["invocations"]
        self.assertEqual(invocation["exitCode"], process.returncode)
        texts = [n["message"]["text"] for n in invocation["toolExecutionNotifications"]
                 if n["level"] == "warning"]
        self.assertEqual(len(texts), 1)
        self.assertIn("'opencv2/opencv.hpp' not found", texts[0])

    def test_a_run_that_failed_says_so(self):
        self.write("broken.cpp", "#include <torch/torch.h>\nint f( {\n")
        run, process = self.sarif("broken.cpp")
        self.assertEqual(process.returncode, 2)
        [invocation] = run["invocations"]
        self.assertFalse(invocation["executionSuccessful"])
        self.assertIn("error", [n["level"] for n in invocation["toolExecutionNotifications"]])

    def test_output_holds_the_same_as_standard_output(self):
        self.write("defect.cpp", DEFECT)
        printed = self.check("defect.cpp", "--format=sarif").stdout
        self.check("defect.cpp", "--format=sarif", "--output=findings.sarif")
        self.assertEqual(printed, (self.folder / "findings.sarif").read_text())

    @unittest.skipUnless(Schema, "pip install pydantic-sarif: the schema as Python classes")
    def test_conforms_to_the_schema(self):
        self.write("image.cpp", "#include <opencv2/opencv.hpp>\n" + DEFECT)
        log = json.loads(self.check("image.cpp", "--format=sarif").stdout)
        Schema.model_validate(log)
        log["runs"][0]["results"][0]["level"] = "fatal"
        with self.assertRaises(ValueError):
            Schema.model_validate(log)


if __name__ == "__main__":
    unittest.main(verbosity=2)
