import os
import sys

import lit.formats

config.name = "checks"
config.suffixes = [".cpp"]
config.test_format = lit.formats.ShTest(execute_external=False)
config.test_source_root = os.path.dirname(__file__)
hosts = lit_config.params["hosts"]
config.test_exec_root = os.path.join(os.path.dirname(hosts), "lit")
config.substitutions.append(
    ("%check", f"{sys.executable} {config.test_source_root}/hosts.py check {hosts}"))
