#!/usr/bin/env python3
"""Checks that every test that docs/SECURITY-DESIGN.md names (`Suite.Case`, `test_what`) exists."""
import re
import sys

from test_names import ROOT, known_tests

DOCUMENT = "docs/SECURITY-DESIGN.md"

known = known_tests()
named = re.findall(r"`([A-Z]\w+\.[A-Z]\w+|test_\w+)`", (ROOT / DOCUMENT).read_text())
missing = [name for name in named if name not in known]
for name in missing:
    print(f"{DOCUMENT} names {name}, which is no test")
if len(named) < 50:
    print(f"{DOCUMENT} names only {len(named)} tests: is it still a table of them?")
    missing.append("")
sys.exit(1 if missing else 0)
