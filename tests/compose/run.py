#!/usr/bin/env python3
"""Runs the tests of this folder with the runner of tests/e2e."""

import pathlib
import sys

sys.dont_write_bytecode = True
FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "e2e")]

import runner  # noqa: E402

runner.FOLDER = FOLDER
sys.exit(runner.main())
