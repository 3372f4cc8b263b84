#!/usr/bin/env python3
"""Checks that every test that docs/SECURITY-DESIGN.md names (`Suite.Case`, `test_what`) exists."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = "docs/SECURITY-DESIGN.md"

command = ["git", "ls-files", "-z", "*_test.cc", "tests/*.py"]
sources = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
known = set()
for name in filter(None, sources.decode().split("\0")):
    if (ROOT / name).is_file():
        for suite, case in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)", (ROOT / name).read_text(), re.MULTILINE):
            known.add(f"{suite}.{case}")
        if name.endswith(".py"):
            known.update(re.findall(r"^def (test_\w+)", (ROOT / name).read_text(), re.MULTILINE))
named = re.findall(r"`([A-Z]\w+\.[A-Z]\w+|test_\w+)`", (ROOT / DOCUMENT).read_text())
missing = [name for name in named if name not in known]
for name in missing:
    print(f"{DOCUMENT} names {name}, which is no test")
if len(named) < 50:
    print(f"{DOCUMENT} names only {len(named)} tests: is it still a table of them?")
    missing.append("")
sys.exit(1 if missing else 0)
