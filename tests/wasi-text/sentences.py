#!/usr/bin/env python3
"""Takes the sentences out of WASI's own texts: sentences.py WIT-FOLDER [--out FILE].

Each sentence of each doc comment is a line `id<TAB>sentence`. The id is where it stands and four digits of
a hash of its words: `http/types.fields.entries#f72a`; it changes only with the sentence. List items and
blocks of code count as sentences, headings and bare links do not.
"""

import argparse
import hashlib
import pathlib
import re
import sys

PACKAGES = ("io", "clocks", "random", "filesystem", "sockets", "cli", "http")
# A full stop behind these ends no sentence.
SHORT = ("e.g.", "i.e.", "etc.", "vs.", "cf.", "Eg.", "no.")
DECLARED = re.compile(r"^(?:interface|world|resource|record|variant|enum|flags|type)\s+%?([\w-]+)")
NAMED = re.compile(r"^(?:use|import|export|include)\s+([^;{]+)|^%?([\w-]+)")


def documented(text):
    """Yields (place, lines of the comment) for each doc comment, in order."""
    scopes, comment = [], []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("///"):
            comment.append(line[3:].removeprefix(" ").rstrip())
            continue
        if not line or line.startswith(("@", "//")):
            continue
        if line.startswith("}"):
            scopes.pop()
            continue
        match = DECLARED.match(line)
        name = match[1] if match else next(filter(None, NAMED.match(line).groups())).strip()
        if comment:
            yield ".".join([*scopes, name]), comment
            comment = []
        if line.endswith("{"):
            scopes.append(name)
    assert not scopes, f"not closed: {scopes}"


def blocks(lines):
    """The comment's paragraphs, list items and blocks of code, each as one line."""
    block, code = [], False
    for line in [*lines, ""]:
        if line.startswith("```"):
            if code:
                yield "code", " ".join(" ".join(block).split())
            elif block:
                yield "text", " ".join(block)
            block, code = [], not code
        elif code:
            block.append(line.strip())
        elif not line.strip() or line.startswith("#") or re.match(r"\s*(?:[-*]|\d+\.) ", line):
            if block:
                yield "text", " ".join(block)
            block = []
            if line.strip() and not line.startswith("#"):
                block = [re.sub(r"^\s*(?:[-*]|\d+\.) +", "", line)]
        else:
            block.append(line.strip())


def sentences(lines):
    for kind, block in blocks(lines):
        if kind == "code":
            yield block
            continue
        words = block.split()
        sentence = []
        for word, following in zip(words, [*words[1:], None]):
            sentence.append(word)
            ends = re.search(r"[.!?][)\"'`*_]*$", word) and word.strip("()") not in SHORT
            if following is None or (ends and re.match(r"[A-Z`\"*_<\[]", following)):
                text = " ".join(sentence)
                sentence = []
                if not re.fullmatch(r"(?:[\w:-]+ )*<?https?://\S+", text):
                    yield text


def extract(folder):
    """[(id, sentence)] of all packages, and their version."""
    rows, known, versions = [], set(), set()
    for package in PACKAGES:
        text = (folder / f"{package}.wit").read_text()
        versions.add(re.search(rf"^package wasi:{package}@([\d.]+);", text, re.MULTILINE)[1])
        for place, lines in documented(text):
            for sentence in sentences(lines):
                digest = hashlib.sha256(sentence.encode()).hexdigest()[:4]
                name = f"{package}/{place}#{digest}"
                # The same words twice at one place say the same.
                if name not in known:
                    known.add(name)
                    rows.append((name, sentence))
    (version,) = versions
    return rows, version


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path, help="with io.wit, clocks.wit ...")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    rows, version = extract(arguments.folder)
    lines = [f"# The sentences of WASI {version}, made by sentences.py\n"]
    lines += [f"{name}\t{sentence}\n" for name, sentence in rows]
    if arguments.out:
        arguments.out.write_text("".join(lines))
    else:
        sys.stdout.writelines(lines)


if __name__ == "__main__":
    main()
