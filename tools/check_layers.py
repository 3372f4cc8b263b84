#!/usr/bin/env python3
"""Checks every include under src/ and include/ against tools/layers.txt.

Usage: tools/check_layers.py [ROOT]     prints each violation as file:line: text; exits with 1 if any

What it refuses:
* an include of a part that the table does not allow for the including part,
* a third-party or operating-system header whose library the part's line does not name,
* a quoted include that names no file of the project, and a public header (<tenon/...>) that does not exist,
* in include/tenon anything but the standard library without I/O and other public headers,
* a folder with sources and no line in the table, a line that names an unknown part or library, a cycle.
Test files (*_test.cc, *_testing.h) may include every part and library.
"""

import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
TEST_FILE = re.compile(r"(_test\.cc|_testing\.(h|cc))$")
# C's headers have no library of their own: <stdint.h> is as good as <cstdint>.
C_STANDARD = {"assert.h", "errno.h", "float.h", "limits.h", "math.h", "stdalign.h", "stdbool.h",
              "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "inttypes.h"}


class Layers:
    """The table: `parts` maps a part to the parts it may include, `allowed_libraries` to its libraries."""

    def __init__(self, text):
        self.parts, self.allowed_libraries, self.libraries, self.errors = {}, {}, {}, []
        patterns, section = {}, None
        for number, line in enumerate(text.splitlines(), 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            if line.startswith("["):
                section = line.strip("[]")
                continue
            name, colon, rest = line.partition(":")
            name = name.strip()
            if not colon or section not in ("parts", "libraries"):
                self.errors.append(f"tools/layers.txt:{number}: not understood: {line}")
            elif section == "parts":
                allowed, _, libraries = rest.partition("|")
                patterns[name] = (number, allowed.split())
                self.allowed_libraries[name] = (number, libraries.split())
            else:
                self.libraries[name] = rest.split()
        for name, (number, allowed) in patterns.items():
            self.parts[name] = set()
            for pattern in allowed:
                regex = re.compile(re.escape(pattern).replace(r"\*", ".*"))
                found = [part for part in patterns if regex.fullmatch(part)]
                if not found:
                    self.errors.append(f"tools/layers.txt:{number}: no part is named {pattern}")
                self.parts[name].update(found)
        for name, (number, libraries) in self.allowed_libraries.items():
            for library in libraries:
                if library not in self.libraries:
                    self.errors.append(f"tools/layers.txt:{number}: no library is named {library}")
            self.allowed_libraries[name] = set(libraries)
        self._find_cycles()

    def _find_cycles(self):
        state = {}

        def visit(part, path):
            state[part] = "open"
            for other in sorted(self.parts[part]):
                if state.get(other) == "open":
                    cycle = path[path.index(other):] if other in path else [other]
                    self.errors.append("tools/layers.txt: cycle: " + " -> ".join(cycle + [other]))
                elif other not in state:
                    visit(other, path + [other])
            state[part] = "done"

        for part in sorted(self.parts):
            if part not in state:
                visit(part, [part])

    def part_of(self, folder):
        """The part with the longest name that is `folder` or a parent of it; None if there is none."""
        while folder and folder != ".":
            if folder in self.parts:
                return folder
            folder = folder.rpartition("/")[0]
        return None

    def library_of(self, header):
        for library, patterns in self.libraries.items():
            for pattern in patterns:
                if header == pattern or (pattern.endswith("/") and header.startswith(pattern)):
                    return library
        return None


def check_include(layers, root, part, quote, header):
    """Says what is wrong with one include of a file of `part` ("" for a public header), or None."""
    if quote == '"':
        if part == "":
            return f'public headers include no "{header}"'
        if not (root / "src" / header).is_file():
            return f'"{header}" is no file under src/ (own headers are written "part/x.h")'
        target = layers.part_of(header.rpartition("/")[0])
        if target is None:
            return f'"{header}" belongs to no part of tools/layers.txt'
        if target != part and target not in layers.parts[part]:
            return f'part {part} may not include "{header}" of part {target}'
        return None
    if header.startswith("tenon/"):
        return None if (root / "include" / header).is_file() else f"no public header <{header}>"
    library = layers.library_of(header)
    if library is not None:
        if part == "":
            return f"public headers may not include <{header}> (library {library})"
        if library not in layers.allowed_libraries[part]:
            return f"part {part} may not include <{header}>: its line does not name library {library}"
        return None
    if "." in header and header not in C_STANDARD or "/" in header:
        return f"<{header}> belongs to no library of tools/layers.txt"
    return None


def check_tree(root):
    """All violations in the tree, as text lines."""
    root = Path(root)
    layers = Layers((root / "tools" / "layers.txt").read_text())
    problems = list(layers.errors)
    if problems:
        return problems
    files = [f for top in ("src", "include") for f in (root / top).rglob("*") if f.suffix in (".h", ".cc")]
    unknown = set()
    for file in sorted(files):
        relative = file.relative_to(root).as_posix()
        if relative.startswith("include/tenon/"):
            part = ""
        elif relative.startswith("src/"):
            folder = file.parent.relative_to(root / "src").as_posix()
            part = layers.part_of(folder)
            if part is None:
                if folder not in unknown:
                    problems.append(f"src/{folder}: no line in tools/layers.txt")
                unknown.add(folder)
                continue
        else:
            problems.append(f"{relative}: public headers belong into include/tenon")
            continue
        if TEST_FILE.search(relative):
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                problem = check_include(layers, root, part, match[1], match[2])
                if problem:
                    problems.append(f"{relative}:{number}: {problem}")
    return problems


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = check_tree(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
