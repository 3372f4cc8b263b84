#!/usr/bin/env python3
"""Checks that a new machine has all that Tenon is built and tested with.

For each purpose of scripts/setup (demo, test, bench, lint) it collects what is used:

* the headers of the system, by the compiler's own list of dependencies (-M) of all that our sources include,
* the files of the system that the linker is given (build/build.ninja),
* the programs that our shell and Python scripts call, and
* the modules that our Python scripts import.

The Debian package of each (as dpkg -S says) must be among those that a machine with nothing but Debian's required packages
gets from `scripts/setup --for PURPOSE` (as apt-get says on an empty list of installed packages).

  tools/check_packages.py [--build DIR] [-v]
"""

import argparse
import ast
import collections
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tools"))
from shell_words import functions_of_shell, programs_of_shell  # noqa: E402

PURPOSES = ("demo", "test", "bench", "lint", "fresh")
# Programs that may come from elsewhere than Debian, and the package that setup takes otherwise.
ELSEWHERE = {"node": "nodejs", "npm": "npm", "python3": "python3", "google-chrome": "chromium", "git": "git"}
# What README tells people to have before they begin, and what setup builds.
GIVEN = {"cargo", "rustc", "rustup", "wasm-tools", "wasmtime", "tenon", "sudo"}
# Used for more than the purpose that its file is otherwise for.
ONLY_FOR = {("tests/guests/build", "node"): "test", ("tests/guests/build", "npm"): "test"}
# Read where it is there (__has_include), and done without otherwise.
OPTIONAL_HEADERS = {"sanitizer/common_interface_defs.h"}


def run(*command, **options):
    return subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True, **options).stdout


def tracked(*patterns):
    return [path for path in run("git", "ls-files", "-z", "--", *patterns).split("\0") if path]


# ---- what a new machine gets ----


@functools.cache
def required_packages():
    rows = run("dpkg-query", "-W", "-f", "${Package} ${Essential} ${Priority}\n").splitlines()
    return tuple(row.split()[0] for row in rows if row.split()[1:2] == ["yes"] or row.endswith(" required")) + ("apt",)


def fingerprint(packages):
    """Of all that decides what apt-get answers about these packages."""
    lists = pathlib.Path("/var/lib/apt/lists")
    state = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in lists.glob("*_*"))
    version = run("apt-get", "--version").splitlines()[0]
    return hashlib.sha256(repr((version, sorted(packages), state)).encode()).hexdigest()


def with_dependencies(packages):
    """What apt-get would fetch in order to install these where nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        nothing = pathlib.Path(folder) / "status"
        nothing.touch()
        # Not --simulate, which orders the steps as well and takes four times as long for it.
        command = ["apt-get", "-q", "-y", "--print-uris", "--no-install-recommends", "-o", f"Dir::State::status={nothing}",
                   "-o", f"Dir::Cache={folder}"]
        done = subprocess.run([*command, "install", *packages], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"apt-get cannot say what setup installs (apt-get update may help):\n{done.stderr}")
    # 'URI' NAME_VERSION_ARCHITECTURE.deb SIZE SUM
    return set(re.findall(r"^'[^']+' ([^_ ]+)_\S+\.deb ", done.stdout, re.MULTILINE))


def closure(purpose):
    """The packages that a machine has after `scripts/setup --for purpose`; kept, as apt-get takes seconds to tell."""
    packages = [*required_packages(), *run("scripts/setup", "--for", purpose, "--packages").split()]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "tenon/packages"
    file = cache / f"{purpose}-{fingerprint(packages)}"
    if not file.exists():
        found = with_dependencies(packages)
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob(f"{purpose}-*"):
            old.unlink(missing_ok=True)
        whole = file.with_suffix(f".{os.getpid()}")
        whole.write_text("\n".join(sorted(found)))
        whole.rename(file)
    return set(file.read_text().split())


def missing_here(purpose):
    wanted = run("scripts/setup", "--for", purpose, "--packages").split()
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev}\n", *wanted], capture_output=True, text=True)
    here = {line.split()[0] for line in done.stdout.splitlines() if line.split()[1:] == ["ii"]}
    return [package for package in wanted if package not in here]


def spellings(path):
    """The names under which dpkg may know a file: links resolved, and with /usr or without."""
    for name in dict.fromkeys((str(path), os.path.realpath(path))):
        yield name
        yield name.removeprefix("/usr") if name.startswith("/usr/") else f"/usr{name}"


@functools.cache
def owners():
    """file -> the packages that have it, as `dpkg -S` finds them, which would read all lists for each few files."""
    found = collections.defaultdict(set)
    for listing in pathlib.Path("/var/lib/dpkg/info").glob("*.list"):
        package = listing.stem.split(":")[0]
        for line in listing.read_text().splitlines():
            found[line].add(package)
    return found


def packages_of(paths):
    """path -> the packages that have it; those that no package has are left out."""
    found = {path: set().union(*(owners().get(name, set()) for name in spellings(path))) for path in paths}
    return {path: packages for path, packages in found.items() if packages}


# ---- what is used ----


def kind_of(path):
    """The purpose for which a file of ours is needed first."""
    if re.search(r"_test\.|_testing\.|^tests/(?!guests/build)|^tools/|^scripts/test", path):
        return "test"
    if path == "scripts/fresh":
        return "fresh"
    if path.startswith("bench/") or path == "scripts/bench":
        return "bench"
    return "lint" if path == "scripts/lint" else "demo"


def compile_flags(build):
    """What all commands of the build have in common that says where headers are."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        words = entry["command"].split()
        for index, word in enumerate(words):
            if word == "-isystem":
                flags[f"-isystem{words[index + 1]}"] = None
            elif word.startswith("-I"):
                flags[word] = None
    return list(flags)


def system_includes(paths):
    includes = {}
    for path in paths:
        text = (REPOSITORY / path).read_text(errors="replace")
        for name in re.findall(r"^[ \t]*#[ \t]*include[ \t]*<([^>\n]+)>", text, re.MULTILINE):
            includes.setdefault(name, path)
    return includes


def dependencies(compiler, flags, includes, problems, purpose):
    """All headers that these includes read."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "all.cc"
        source.write_text("".join(f"#include <{name}>\n" for name in includes))
        done = subprocess.run([compiler, *flags, "-M", source], capture_output=True, text=True)
    for name in re.findall(r"fatal error: '([^']+)' file not found", done.stderr):
        problems.append(f"{purpose}: the header <{name}> is not there ({includes.get(name, 'by another header')})")
        return []
    if done.returncode != 0:
        problems.append(f"{purpose}: cannot read all headers together:\n{done.stderr[:2000]}")
        return []
    read = done.stdout.replace("\\\n", " ").split()
    return [word for word in read if word.startswith("/usr/") and not word.endswith(tuple(OPTIONAL_HEADERS))]


def headers(build, problems):
    sources = [path for path in tracked("*.h", "*.cc") if not path.startswith(("tests/guests/", "examples/", "deps/"))]
    used = collections.defaultdict(dict)
    flags = ["-x", "c++", "-std=gnu++20", *compile_flags(build)]
    for purpose in ("demo", "test", "bench"):
        includes = system_includes([path for path in sources if kind_of(path) == purpose])
        for path in dependencies("clang++-19", flags, includes, problems, purpose):
            used[purpose][path] = "a header that the build reads"
    guests = system_includes(tracked("tests/guests/cpp/*.cc", "examples/polyglot/**/*.cc"))
    guests = {name: path for name, path in guests.items() if "/" not in name and not name.endswith("bindings.h")}
    wasm = ["-x", "c++", "-std=c++20", "--target=wasm32-wasi"]
    for path in dependencies("clang++-19", wasm, guests, problems, "test"):
        used["test"][path] = "a header that the guests' build reads"
    return used


def linked_files(build):
    text = (build / "build.ninja").read_text()
    paths = {path for path in re.findall(r"(?<![\w.-])/usr/[^\s:$;\"']+", text) if os.path.isfile(path)}
    # The include folders and headers are looked at by headers(); configuring reads what the package cmake brings.
    return {path: "what build.ninja names" for path in paths if re.search(r"\.(a|so)(\.[0-9.]+)?$", path)}


def is_python(path):
    first = (REPOSITORY / path).read_bytes()[:40]
    return path.endswith(".py") or first.startswith(b"#!/usr/bin/env python3")


def is_shell(path):
    first = (REPOSITORY / path).read_bytes()[:40]
    return first.startswith((b"#!/usr/bin/env bash", b"#!/bin/sh", b"#!/bin/bash")) or path == "scripts/lib.sh"


class PythonUses(ast.NodeVisitor):
    """Programs and modules of one Python file. `sure` are those that a function of subprocess is given by name."""

    def __init__(self):
        self.sure, self.maybe, self.modules = set(), set(), set()

    def visit_Import(self, node):
        self.modules |= {name.name.split(".")[0] for name in node.names}

    def visit_ImportFrom(self, node):
        if not node.level:
            self.modules.add(node.module.split(".")[0])

    def visit_Call(self, node):
        function = node.func
        known = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id
        if known == "subprocess" and node.args:
            self.sure |= self.first_word(node.args[0])
        if known == "shutil" and function.attr == "which" and node.args:
            self.maybe |= self.word(node.args[0])
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in ("run", "Popen", "start", "call", "check_output") and node.args:
            self.maybe |= self.first_word(node.args[0])
        self.generic_visit(node)

    def visit_Assign(self, node):
        self.maybe |= self.first_word(node.value) if self.is_command(node) else set()
        self.generic_visit(node)

    def is_command(self, node):
        return any(isinstance(target, ast.Name) and "command" in target.id for target in node.targets)

    def first_word(self, node):
        return self.word(node.elts[0]) if isinstance(node, (ast.List, ast.Tuple)) and node.elts else set()

    def word(self, node):
        is_name = isinstance(node, ast.Constant) and isinstance(node.value, str)
        return {node.value} if is_name and re.fullmatch(r"[a-z][\w.+-]*", node.value) else set()


def programs_and_modules(problems):
    """purpose -> {program: a script that calls it}; those that are not there and must be are problems."""
    used = collections.defaultdict(dict)
    shared = functions_of_shell((REPOSITORY / "scripts/lib.sh").read_text())
    ours = {pathlib.Path(other).stem for other in tracked("*.py")}
    for path in tracked():
        if not (REPOSITORY / path).is_file() or path.startswith(("docs/", ".ci/")):
            continue
        purpose = kind_of(path)
        if is_shell(path):
            sure, maybe = programs_of_shell((REPOSITORY / path).read_text())
            sure -= shared
        elif is_python(path):
            uses = PythonUses()
            uses.visit(ast.parse((REPOSITORY / path).read_text(), path))
            sure, maybe = uses.sure, uses.maybe
            foreign = {name for name in uses.modules if name not in sys.stdlib_module_names}
            if not path.startswith(("tests/guests/py/", "examples/")):
                problems += [f"{purpose}: {path} imports {name}, which python3 has not" for name in foreign - ours]
        else:
            continue
        for name in sorted(sure | maybe):
            if name in GIVEN:
                continue
            purpose = ONLY_FOR.get((path, name), kind_of(path))
            if shutil.which(name):
                used[purpose].setdefault(name, path)
            elif name in sure and name not in ELSEWHERE:
                problems.append(f"{purpose}: the program {name} is not there ({path})")
    return used


def check(build, verbose):
    problems = []
    used = headers(build, problems)
    used["test"].update(linked_files(build))
    for purpose, programs in programs_and_modules(problems).items():
        for name, script in programs.items():
            used[purpose][shutil.which(name)] = f"a program that {script} calls"

    # What is not here can only be judged where all is here that setup installs.
    for purpose in PURPOSES:
        absent = missing_here(purpose)
        if absent and any(problem.startswith(f"{purpose}: ") for problem in problems):
            problems = [problem for problem in problems if not problem.startswith(f"{purpose}: ")]
            print(f"not all judged for {purpose}: this machine lacks {' '.join(absent)} (scripts/setup --for {purpose})")

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        closures = dict(zip(PURPOSES, pool.map(closure, PURPOSES)))
    lacking = {}  # package -> purpose -> file -> its use
    for purpose in PURPOSES:
        installed = closures[purpose]
        # What a demo needs, all need but the one that only makes a folder for others.
        paths = {**(used["demo"] if purpose != "fresh" else {}), **used[purpose]}
        found = packages_of(paths)
        for path in sorted(paths):
            name = pathlib.Path(path).name
            packages = found.get(path) or ({ELSEWHERE[name]} if name in ELSEWHERE else set())
            if verbose:
                print(f"{purpose}: {path}: {' '.join(sorted(packages)) or 'no package'} ({paths[path]})")
            if not packages & installed:
                which = " or ".join(sorted(packages)) or f"the package of {path}"
                lacking.setdefault(which, {}).setdefault(purpose, {})[path] = paths[path]
    for which, purposes in lacking.items():
        files = {path: use for used_there in purposes.values() for path, use in used_there.items()}
        path, use = next(iter(files.items()))
        more = f" (and {len(files) - 1} more files)" if len(files) > 1 else ""
        problems.append(f"scripts/setup --for {'|'.join(purposes)} does not install {which}: {path}{more} is {use}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=REPOSITORY / "build")
    parser.add_argument("-v", "--verbose", action="store_true")
    arguments = parser.parse_args()
    problems = check(arguments.build.resolve(), arguments.verbose)
    for problem in dict.fromkeys(problems):
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
