#!/usr/bin/env python3
"""Checks that every test that a table of the documentation names (`Suite.Case`, `test_what`) exists."""
import re
import sys

from test_names import ROOT, known_tests

# And how many tests each names at least.
DOCUMENTS = {"docs/SECURITY-DESIGN.md": 50, "docs/http-conformance.md": 60}

known = known_tests()
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
