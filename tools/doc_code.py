#!/usr/bin/env python3
"""Code and output in the documentation that is that of real programs.

    tools/doc_code.py check                       # quotes are equal to what they quote; part of scripts/lint
    tools/doc_code.py fix                         # copies the code into the pages
    tools/doc_code.py run PROGRAMS COMPONENTS     # runs the programs, compares what they print; --fix copies it

A line `<!-- code: examples/embed/total.cc#program -->` stands before a block that is the region `program` of that file:
the lines between `// [program]` and `// [/program]`, without their common indentation. A line
`<!-- output: total cart.wasm -->` stands before a block that is what PROGRAMS/total prints for COMPONENTS/cart.wasm. Every
block of C++ in a page must be such a quote."""
import pathlib
import re
import subprocess
import sys
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ["README.md", "docs/embedding.md"]
BLOCK = re.compile(r"(?:^<!-- (code|output): (.*?) -->\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def region(reference, root):
    path, _, name = reference.partition("#")
    text = (root / path).read_text()
    found = re.search(rf"^ *// \[{name}\]\n(.*?)^ *// \[/{name}\]$", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"{path} has no region {name}")
    lines = [line for line in found.group(1).splitlines() if not re.match(r"\s*// \[/?[\w-]+\]$", line)]
    return textwrap.dedent("\n".join(lines)) + "\n"


def outputs(command, programs, components):
    program, *arguments = command.split()
    done = subprocess.run([programs / program] + [components / argument for argument in arguments],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise ValueError(f"{program} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def page(path, expected, root, write):
    """Compares, or writes, the blocks of one page. `expected(kind, reference)`: None for what is not looked at."""
    problems = []

    def replaced(match):
        kind, reference, language, text = match.groups()
        place = f"{path}:{pages_text.count(chr(10), 0, match.start()) + 1}"
        if kind is None:
            if language == "cpp":
                problems.append(f"{place}: a block of C++ that quotes no program")
            return match.group(0)
        try:
            wanted = expected(kind, reference)
        except (ValueError, OSError) as error:
            problems.append(f"{place}: {error}")
            return match.group(0)
        if wanted is None or wanted == text:
            return match.group(0)
        if not write:
            problems.append(f"{place}: the block is not {reference}")
        return f"<!-- {kind}: {reference} -->\n```{language}\n{wanted}```"

    pages_text = (root / path).read_text()
    new = BLOCK.sub(replaced, pages_text)
    if write and new != pages_text:
        (root / path).write_text(new)
    return problems


def main(arguments, root=ROOT):
    write = arguments[0] == "fix" or "--fix" in arguments
    arguments = [argument for argument in arguments if argument != "--fix"]
    if arguments[0] == "run":
        programs, components = map(pathlib.Path, arguments[1:])
        expected = lambda kind, reference: outputs(reference, programs, components) if kind == "output" else None
    else:
        expected = lambda kind, reference: region(reference, root) if kind == "code" else None
    problems = [problem for path in PAGES for problem in page(path, expected, root, write)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("check", "fix", "run"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
