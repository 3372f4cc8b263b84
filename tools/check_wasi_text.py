#!/usr/bin/env python3
"""Checks that every sentence of WASI's texts has its test, or a reason why it needs none.

    tools/check_wasi_text.py                   checks; prints each fault, exits with 1 if there is any
    tools/check_wasi_text.py --print [WORD]    prints the table: each sentence (whose id has WORD) with its row

tests/wasi-text/sentences.txt has the sentences with their ids, made by sentences.py. The rows are written by
hand, in tests/wasi-text/rows/PACKAGE.txt, below a line `[PLACE]`: the four digits, and one of
* names of tests with commas between them; behind ` -- ` may stand what they do not tell by themselves,
* `no promise`: an explanation, an example, a definition of words, advice to the guest's author,
* `not testable here -- REASON`.
"""

import argparse
import re
import sys
from pathlib import Path

from test_names import ROOT, known_tests

sys.path.insert(0, str(ROOT / "tests/wasi-text"))
import sentences  # noqa: E402

FOLDER = ROOT / "tests/wasi-text"
LIST = FOLDER / "sentences.txt"


def read_list():
    rows = {}
    for line in LIST.read_text().splitlines():
        if not line.startswith("#"):
            name, _, sentence = line.partition("\t")
            rows[name] = sentence
    return rows


def read_rows(problems):
    rows = {}
    for package in sentences.PACKAGES:
        path = FOLDER / "rows" / f"{package}.txt"
        for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("["):
                place = line.strip("[]")
                continue
            digits, _, verdict = line.partition(" ")
            name, verdict = f"{package}/{place}#{digits}", verdict.strip()
            if name in rows:
                problems.append(f"{path.relative_to(ROOT)}:{number}: {name} has a row already")
            rows[name] = (f"{path.relative_to(ROOT)}:{number}", verdict)
    return rows


def judge(place, verdict, known):
    """What is wrong with a row."""
    said, dashes, remark = verdict.partition(" -- ")
    if dashes and not remark.strip():
        yield f"{place}: there is nothing behind '--'"
    if said == "no promise":
        return
    if said == "not testable here":
        if not remark:
            yield f"{place}: 'not testable here' needs a reason behind ' -- '"
        return
    for name in said.split(","):
        if name.strip() not in known:
            yield f"{place}: '{name.strip()}' is no test"


def newest_texts():
    """Where cargo keeps the texts that the list was made of; None when no guest was built here."""
    import os
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    found = sorted(home.glob("registry/src/*/wasip2-2.0.1+wasi-0.2.12/wit/deps"))
    return found[0] if found else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--print", nargs="?", const="", dest="word", metavar="WORD")
    arguments = parser.parse_args()
    problems = []
    listed, rows = read_list(), read_rows(problems)
    if arguments.word is not None:
        for name, sentence in listed.items():
            if arguments.word in name:
                print(f"{name}\n  {sentence}\n  => {rows.get(name, ('', '(no row)'))[1]}")
        return 0
    known = known_tests()
    texts = newest_texts()
    if texts and [*listed.items()] != sentences.extract(texts)[0]:
        problems.append(f"{LIST.relative_to(ROOT)} is not what sentences.py takes out of {texts}")
    problems += [f"{name} has no row: {sentence}" for name, sentence in listed.items() if name not in rows]
    for name, (place, verdict) in rows.items():
        if name not in listed:
            problems.append(f"{place}: there is no sentence {name} any more")
        problems += judge(place, verdict, known)
    if len(listed) < 900:
        problems.append(f"{LIST.relative_to(ROOT)} has only {len(listed)} sentences")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
