#!/usr/bin/env python3
"""Compares our reader of TOML with Python's: compare.py PROGRAM [FILE...]. PROGRAM is print_toml.

Both read every document below, every FILE, and thousands of changed ones (always the same): they must accept and
refuse the same, and what they accept must be the same values."""
import glob
import json
import os
import random
import re
import subprocess
import sys
import tomllib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHANGED = 30_000
MAX_DEPTH = 32

PIECES = ["a", "b", "a.b", "'a'.b", '"a"', '"\\u00e9"', "a-b_1", "1", "''", " . ", "[a]", "[a.b]", "[[a]]", "[[a.b]]",
          "[b.a]", "a = 1", "a.b = 1", "a.b.c = 1", "b = {}", "b = []", "a = {b = 1}", "a = {b.c = 1, b.d = 2}", "a = [{b = 1}]",
          "= ", "1", "-0", "+1_0", "0x1F", "0o7", "0b1", "1e3", "-1.5E-3", "inf", "-nan", "true", "false",
          "1979-05-27", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.5-07:00", "07:32:00", '"x"', "'x'", '"""x\ny"""',
          "'''x\ny'''", '"""x \\\n  y"""', '"\\t\\n\\"\\\\\\U0001F600"', "''''''", '""""""', '"""a"""""', "{", "}", "[", "]", ",",
          ".", "#", "# x", "\n", "\r\n", "\r", "\t", " ", "\\", '"', "'", '"""', "'''", "\x00", "\x7f", "\u00e9", "\ufeff", "_", "+"]


def documents():
    for piece in PIECES:
        yield piece.encode()
        yield b"x = " + piece.encode()
    for pattern in ("examples/**/tenon.toml", "**/Cargo.toml", "src/link/*_test.cc", "tests/e2e/test_plan.py"):
        for path in sorted(glob.glob(os.path.join(ROOT, pattern), recursive=True)):
            if "/build" in path:
                continue
            with open(path, "rb") as file:
                content = file.read()
            if path.endswith(".toml"):
                yield content
            else:
                yield from re.findall(rb'R"\w*\((.*?)\)\w*"', content, re.DOTALL)
    for path in sys.argv[2:]:
        with open(path, "rb") as file:
            yield file.read()


def changed(seeds):
    chance = random.Random(20261130)
    lines = [line for seed in seeds for line in seed.split(b"\n")]
    for _ in range(CHANGED):
        kind = chance.randrange(3)
        if kind == 0:
            yield "".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 9))).encode()
        elif kind == 1:
            yield "\n".join(chance.choice(PIECES) for _ in range(chance.randrange(1, 7))).encode()
        else:
            text = bytearray(b"\n".join(chance.choice(lines) for _ in range(chance.randrange(1, 6))))
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(text) + 1)
                text[at:at + chance.randrange(3)] = chance.choice(PIECES).encode()
            yield bytes(text)


def theirs(value):
    if isinstance(value, dict):
        return {key: theirs(item) for key, item in value.items()}
    if isinstance(value, list):
        return ["array", [theirs(item) for item in value]]
    if isinstance(value, bool):
        return ["boolean", str(value).lower()]
    if isinstance(value, int):
        return ["integer", str(value)] if -2**63 <= value < 2**63 else None
    if isinstance(value, float):
        return ["float", repr(value)]
    return ["string", value] if isinstance(value, str) else ["date"]


def normal(value):
    """Ours, with floats and dates as `theirs` has them."""
    if isinstance(value, dict):
        return {key: normal(item) for key, item in value.items()}
    kind, content = value
    if kind == "array":
        return [kind, [normal(item) for item in content]]
    if kind == "float":
        return [kind, repr(float(content.replace("_", "")))]
    return [kind] if kind == "date" else value


def fits(value):
    if isinstance(value, dict):
        return all(fits(item) for item in value.values())
    return value is not None and (value[0] != "array" or all(fits(item) for item in value[1]))


def main():
    seeds = list(documents())
    texts = seeds + list(changed(seeds))
    given = b"".join(b"%d\n%s" % (len(text), text) for text in texts)
    out = subprocess.run([sys.argv[1]], input=given, stdout=subprocess.PIPE, check=True).stdout
    answers = out.decode().split("\n")[:-1]
    assert len(answers) == len(texts), (len(answers), len(texts))
    bad = accepted = 0
    for text, answer in zip(texts, answers):
        ours = None if answer.startswith("error ") else normal(json.loads(answer))
        try:
            decoded = text.decode()
            # A mark of the byte order is no part of the text, and Python's reader is given text.
            expected = theirs(tomllib.loads(decoded.removeprefix("\ufeff")))
            if not fits(expected):
                expected = None  # an integer of more than 64 bits
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError):
            expected = None
        # Python's dates have no year 0.
        if ours != expected and not (expected is None and b"0000-" in text):
            bad += 1
            if bad <= 20:
                print(f"{text!r}\n  ours:   {answer}\n  Python: {expected}")
        accepted += expected is not None
    print(f"{len(texts)} documents, {accepted} accepted, {bad} differences")
    assert accepted > len(texts) // 50, "hardly any document is accepted: nothing is compared"
    return 1 if bad else 0


sys.exit(main())
