#!/usr/bin/env python3
"""Runs the test functions of test_*.py, one a process, as ctest wants them.

  runner.py list                       "module.function lock", one a line
  runner.py run CASE --tenon FILE --guests DIR --work DIR [--slow]

A test is a function `test_...(t)`; `t` is a Tenon (harness.py). Its name is a sentence. What is marked
@both_links runs a second time, as CASE:literal, with --no-rewriting. Exit code: 0, 1, or 77 (skipped).
"""

import argparse
import importlib
import pathlib
import sys
import traceback

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import harness  # noqa: E402


def cases():
    """Yields (name, function, literal)."""
    for path in sorted(FOLDER.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in vars(module).items():
            if not name.startswith("test_") or not callable(function):
                continue
            case = f"{path.stem[5:]}.{name[5:]}"
            yield case, function, False
            if getattr(function, "both_links", False):
                yield f"{case}:literal", function, True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=["list", "run"])
    parser.add_argument("case", nargs="?")
    parser.add_argument("--tenon")
    parser.add_argument("--guests")
    parser.add_argument("--work")
    parser.add_argument("--slow", action="store_true", help="do not judge times")
    options = parser.parse_args()
    if options.action == "list":
        for case, function, _ in cases():
            print(case, getattr(function, "lock", "-"))
        return 0
    for case, function, literal in cases():
        if case != options.case:
            continue
        with harness.Tenon(options, case, literal) as t:
            try:
                function(t)
            except harness.Skipped as reason:
                print(f"skipped: {reason}")
                return 77
            except AssertionError:
                traceback.print_exc()
                return 1
        return 0
    print(f"there is no test {options.case}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
