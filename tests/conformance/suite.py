#!/usr/bin/env python3
"""The Component Model's official suite and the scripts of wasm-tools itself: finds, converts and runs them.

    suite.py list                                   the scripts' names, one a line
    suite.py run --runner PROGRAM [OPTION...] NAME  runs one script ("values/strings", "cli/naming")
    suite.py table --runner PROGRAM [OPTION...]     runs all, prints a table; exit code 1 if any failed

Both come with the crate wasm-tools (see deps/pins); `wasm-tools json-from-wast` turns each script into JSON
and binaries. With --peer, what happened is compared with what the peer does (tests/differential). Scripts under async/ are decoded and validated; running them is later work. Those under cli/
(tests/cli/component-model in the crate) check the validator: each runs with the features that its RUN line
names.
"""
import argparse
import glob
import os
import re
import subprocess
import sys
import tempfile

VERSION = "1.263.0"
HERE = os.path.dirname(os.path.abspath(__file__))
CLI = "cli/"


def cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "tenon", "deps", "wasm-tools-" + VERSION)


def folder_of(path):
    """A folder of the crate's tests: setup's copy, else cargo's."""
    cargo = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    candidates = [os.path.join(cache(), "tests")]
    candidates += glob.glob(os.path.join(cargo, "registry", "src", "*", "wasm-tools-" + VERSION, "tests"))
    for candidate in candidates:
        folder = os.path.join(candidate, path)
        if os.path.isdir(folder):
            return folder
    sys.exit(f"{path} of wasm-tools {VERSION} is not here: run scripts/setup")


def source(name):
    if name.startswith(CLI):
        return os.path.join(folder_of("cli/component-model"), name[len(CLI) :] + ".wast")
    return os.path.join(folder_of("component-model/test"), name + ".wast")


def scripts():
    names = []
    for prefix, path in (("", "component-model/test"), (CLI, "cli/component-model")):
        folder = folder_of(path)
        found = glob.glob(os.path.join(folder, "**", "*.wast"), recursive=True)
        names += sorted(prefix + os.path.relpath(path, folder)[: -len(".wast")] for path in found)
    return names


def run(name, runner, options, peer=None):
    """Converts and runs one script; returns its exit code. Prints what the runner prints."""
    tool = os.path.join(cache(), "bin", "wasm-tools")
    strict = "1"
    if name.startswith(CLI):
        with open(source(name), encoding="utf-8") as script:
            command_line = re.search(r"RUN: (.*)", script.read()).group(1)
        features = re.search(r"(?:-f |--features=)(\S+)", command_line)
        options = options + ["--features", features.group(1) if features else "-"]
        if "INDICES=0" in command_line:
            strict = "0"
    with tempfile.TemporaryDirectory() as folder:
        # The runner names a script by its file, and the lists of expected failures by that name.
        json = os.path.join(folder, name.replace("/", ".") + ".json")
        subprocess.run(
            [tool, "json-from-wast", source(name), "-o", json, "--wasm-dir", folder],
            check=True, env=dict(os.environ, WAST_STRICT_COMPONENT_INDICES=strict))
        command = [runner, json, "--expected", os.path.join(HERE, "expected_failures.txt")] + options
        if name.startswith("async/"):
            command.append("--decode-only")
        if peer:
            outcomes = os.path.join(folder, "outcomes")
            subprocess.run(command + ["--outcomes", outcomes], stdout=subprocess.DEVNULL)
            known = os.path.join(HERE, "..", "differential", "suite_differences.txt")
            decode_only = ["--decode-only"] if name.startswith("async/") else []
            return subprocess.run([peer, json, "--outcomes", outcomes, "--known", known] + decode_only).returncode
        if "--row" not in options:
            return subprocess.run(command).returncode
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            print(done.stdout, end="")
        return done.returncode


def table(names, runner, options):
    with tempfile.TemporaryDirectory() as folder:
        row = os.path.join(folder, "row")
        bad = [name for name in names if run(name, runner, options + ["--row", row]) != 0]
        with open(row, encoding="utf-8") as lines:
            rows = [line.split() for line in lines]
    columns = ["passed", "failed", "expected failures", "gated", "text or core"]
    print(f"{'file':<52}" + "".join(f"{column:>19}" for column in columns))
    groups = {"official suite": [r for r in rows if not r[0].startswith("cli.")],
              "scripts of wasm-tools": [r for r in rows if r[0].startswith("cli.")]}
    for title, group in groups.items():
        if not group:
            continue
        for entry in group:
            print(f"{entry[0].replace('.', '/'):<52}" + "".join(f"{count:>19}" for count in entry[1:]))
        sums = [sum(int(entry[i]) for entry in group) for i in range(1, 6)]
        print(f"{title + ', ' + str(len(group)) + ' files':<52}" + "".join(f"{count:>19}" for count in sums) + "\n")
    if bad:
        print(f"{len(bad)} scripts with failures: " + " ".join(bad))
    return 1 if bad else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["list", "run", "table"])
    parser.add_argument("--runner")
    parser.add_argument("--peer")
    arguments, rest = parser.parse_known_args()
    if arguments.action == "list":
        print("\n".join(scripts()))
        return 0
    options = [word for word in rest if word.startswith("--")]
    names = [word for word in rest if not word.startswith("--")] or scripts()
    if arguments.action == "table":
        return table(names, arguments.runner, options)
    return 1 if any([run(name, arguments.runner, options, arguments.peer) != 0 for name in names]) else 0


sys.exit(main())
