#!/usr/bin/env python3
"""The Component Model's official suite: finds its scripts, converts and runs them.

    suite.py list                                   the scripts' names, one a line
    suite.py run --runner PROGRAM [OPTION...] NAME  runs one script ("values/strings")
    suite.py table --runner PROGRAM [OPTION...]     runs all, prints a table; exit code 1 if any failed

The scripts come with the crate wasm-tools (see deps/pins); `wasm-tools json-from-wast` turns each into
JSON and binaries. Scripts under async/ are decoded and validated; running them is later work.
"""
import argparse
import glob
import os
import subprocess
import sys
import tempfile

VERSION = "1.263.0"
HERE = os.path.dirname(os.path.abspath(__file__))


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "tenon", "deps", "wasm-tools-" + VERSION)


def suite_folder():
    cargo = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    candidates = [os.path.join(cache(), "tests")]
    candidates += glob.glob(os.path.join(cargo, "registry", "src", "*", "wasm-tools-" + VERSION, "tests"))
    for candidate in candidates:
        folder = os.path.join(candidate, "component-model", "test")
        if os.path.isdir(folder):
            return folder
    sys.exit(f"the suite of wasm-tools {VERSION} is not here: run scripts/setup")


def scripts():
    folder = suite_folder()
    found = glob.glob(os.path.join(folder, "*", "*.wast"))
    return sorted(os.path.relpath(path, folder)[: -len(".wast")] for path in found)


def run(name, runner, options):
    """Converts and runs one script; returns its exit code. Prints what the runner prints."""
    tool = os.path.join(cache(), "bin", "wasm-tools")
    with tempfile.TemporaryDirectory() as folder:
        # The runner names a script by its file, and the list of expected failures by that name.
        json = os.path.join(folder, name.replace("/", ".") + ".json")
        subprocess.run(
            [tool, "json-from-wast", os.path.join(suite_folder(), name + ".wast"), "-o", json, "--wasm-dir", folder],
            check=True, env=dict(os.environ, WAST_STRICT_COMPONENT_INDICES="1"))
        command = [runner, json, "--expected", os.path.join(HERE, "expected_failures.txt")] + options
        if name.startswith("async/"):
            command.append("--decode-only")
        return subprocess.run(command).returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["list", "run", "table"])
    parser.add_argument("--runner")
    arguments, rest = parser.parse_known_args()
    if arguments.action == "list":
        print("\n".join(scripts()))
        return 0
    options = [word for word in rest if word.startswith("--")]
    names = [word for word in rest if not word.startswith("--")] or scripts()
    failed = [name for name in names if run(name, arguments.runner, options) != 0]
    if arguments.action == "table":
        print(f"{len(names)} scripts, {len(failed)} with failures" + "".join("\n  " + name for name in failed))
    return 1 if failed else 0


sys.exit(main())
