"""The names of all tests: `Suite.Case` of GoogleTest, `test_what` of the Python tests."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def known_tests():
    command = ["git", "ls-files", "-z", "*_test.cc", "tests/*.py"]
    sources = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    known = set()
    for name in filter(None, sources.decode().split("\0")):
        if (ROOT / name).is_file():
            for suite, case in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)", (ROOT / name).read_text(), re.MULTILINE):
                known.add(f"{suite}.{case}")
            if name.endswith(".py"):
                known.update(re.findall(r"^def (test_\w+)", (ROOT / name).read_text(), re.MULTILINE))
    return known
