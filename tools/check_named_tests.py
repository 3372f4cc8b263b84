#!/usr/bin/env python3
"""Checks that every test that a table of the documentation names (`Suite.Case`, `test_what`) exists."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# And how many tests each names at least.
DOCUMENTS = {"docs/SECURITY-DESIGN.md": 50, "docs/http-conformance.md": 60}

command = ["git", "ls-files", "-z", "*_test.cc", "tests/*.py"]
sources = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
known = set()
for name in filter(None, sources.decode().split("\0")):
    if (ROOT / name).is_file():
        for suite, case in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)", (ROOT / name).read_text(), re.MULTILINE):
            known.add(f"{suite}.{case}")
        if name.endswith(".py"):
            known.update(re.findall(r"^def (test_\w+)", (ROOT / name).read_text(), re.MULTILINE))
wrong = False
for document, least in DOCUMENTS.items():
    named = re.findall(r"`([A-Z]\w+\.[A-Z]\w+|test_\w+)`", (ROOT / document).read_text())
    for name in named:
        if name not in known:
            print(f"{document} names {name}, which is no test")
            wrong = True
    if len(named) < least:
        print(f"{document} names only {len(named)} tests: is it still a table of them?")
        wrong = True
sys.exit(wrong)
