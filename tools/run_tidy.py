#!/usr/bin/env python3
"""Runs clang-tidy over the sources of a build folder; a source that passed unchanged is not run again.

Usage: tools/run_tidy.py BUILD_DIR [--jobs N] [--clang-tidy PROGRAM]

A source counts as unchanged when it, every project header it can reach, .clang-tidy, the program's version
and its compile command are the same. Passes are remembered in ${XDG_CACHE_HOME:-~/.cache}/tenon/tidy.
Precompiled headers, and what they need, are left out of the commands: nothing has to be built before.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.MULTILINE)
SEARCH = (ROOT / "src", ROOT / "include", ROOT)
PRECOMPILED = re.compile(r" -Winvalid-pch| -Wno-deprecated-declarations| -Xclang -include(-pch)? -Xclang \S*cmake_pch\S*")


def read(path, known={}):
    """The content of a file and the project files that it includes directly."""
    if path not in known:
        content = path.read_bytes()
        found = set()
        for name in INCLUDE.findall(content):
            for folder in (path.parent, *SEARCH):
                candidate = folder / name.decode()
                if candidate.is_file():
                    found.add(candidate.resolve())
                    break
        known[path] = (content, found)
    return known[path]


def key(source, command, salt):
    closure, waiting = set(), [source]
    while waiting:
        path = waiting.pop()
        if path not in closure:
            closure.add(path)
            waiting.extend(read(path)[1])
    digest = hashlib.sha256(salt + command.encode())
    for path in sorted(closure):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + read(path)[0] + b"\0")
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--clang-tidy", default="clang-tidy-19")
    arguments = parser.parse_args()

    passes = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tenon" / "tidy"
    passes.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([arguments.clang_tidy, "--version"], check=True, capture_output=True).stdout
    salt = version + (ROOT / ".clang-tidy").read_bytes()

    commands = json.loads((arguments.build / "compile_commands.json").read_text())
    for entry in commands:
        entry["command"] = PRECOMPILED.sub("", entry["command"])
    stale, total = [], 0
    for entry in commands:
        source = Path(entry["directory"], entry["file"]).resolve()
        if not source.is_relative_to(ROOT) or source.is_relative_to(arguments.build.resolve()) or not source.is_file():
            continue
        total += 1
        mark = passes / key(source, entry["command"].replace(str(ROOT), ""), salt)
        if not mark.exists():
            stale.append((source, mark))

    start, done, failed = time.monotonic(), 0, []

    def check(item):
        source, _ = item
        command = [arguments.clang_tidy, "-p", folder, "--quiet", "--use-color=0", source]
        return item, subprocess.run(command, capture_output=True, text=True)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(arguments.jobs) as pool:
        Path(folder, "compile_commands.json").write_text(json.dumps(commands))
        for (source, mark), result in pool.map(check, stale):
            done += 1
            if result.returncode == 0:
                mark.touch()
            else:
                failed.append(source)
                print(result.stdout + result.stderr, flush=True)
            if done % 20 == 0:
                print(f"  clang-tidy: {done} of {len(stale)} ({time.monotonic() - start:.0f} s)", flush=True)
    print(f"clang-tidy: {total} sources, {total - len(stale)} unchanged since they passed, {len(failed)} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
