#!/usr/bin/env python3
"""Runs the tests of this folder with the runner of tests/e2e; its help says how."""

import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import importlib.util  # noqa: E402

spec = importlib.util.spec_from_file_location("e2e_runner", HERE.parent / "e2e/runner.py")
base = importlib.util.module_from_spec(spec)
spec.loader.exec_module(base)
base.FOLDER = HERE
sys.path.insert(0, str(HERE))

if __name__ == "__main__":
    sys.exit(base.main())
