#!/usr/bin/env python3
"""Runs the fuzzers: tests/fuzz/run.py [--programs FOLDER] [NAME [SECONDS]]; called by `scripts/test --fuzz`.

Without NAME each runs 60 seconds (or `all SECONDS`). The corpus of each is kept beside the programs and begins with
seeds: the components that the tests have, values, manifests. What was found is written there as crash-*, with the
command that runs it again. The exit code is 1 if anything was found."""
import argparse
import glob
import hashlib
import os
import re
import subprocess
import sys
from random import Random

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LARGEST_SEED = 100_000

# libFuzzer's options. The engine's memory is not the sanitizers' to judge: no leaks are looked for where it runs. Where
# bytes are choices (input.h), what is read past the end is 0, so that a short input reaches little: lengths are not
# limited at the beginning.
OPTIONS = {
    "validate": ["-max_len=20000", "-detect_leaks=0", "-timeout=20"],
    "wit": ["-max_len=20000", "-timeout=20"],
    "wave": ["-max_len=20000", "-timeout=10"],
    "abi": ["-max_len=4000", "-timeout=10", "-len_control=0"],
    "transfer": ["-max_len=4000", "-timeout=10", "-len_control=0"],
    "wire": ["-max_len=4000", "-timeout=10", "-len_control=0"],
    "manifest": ["-max_len=20000", "-timeout=10"],
    "http": ["-max_len=3000", "-timeout=10"],
    "text": ["-max_len=4200", "-timeout=2"],
    "adapter": ["-max_len=2000", "-detect_leaks=0", "-timeout=30", "-rss_limit_mb=4096", "-len_control=0"],
}


def texts(pattern):
    for path in glob.glob(os.path.join(ROOT, pattern), recursive=True):
        with open(path, "rb") as file:
            yield file.read()


def components(folder):
    """The binaries of the official suite and of wasm-tools' own scripts, and small guests."""
    corpus = os.path.join(folder, "components")
    subprocess.run([os.path.join(ROOT, "tests/mutants/corpus.py"), corpus], check=True)
    for pattern in (corpus + "/*.wasm", "build/guests/*.wasm"):
        yield from (bytes for bytes in texts(pattern) if len(bytes) <= LARGEST_SEED)


# What a parser must not follow: depth, and length where something is compared with all that came before.
DEEP = 20_000


def values():
    """Values out of the tests of WAVE, each for some types; deep and long ones."""
    for text in (b"[", b"some(", b"{a: ", b"(", b"ok(", b"\"\\u{", b"'''", b"-", b"#a-1", b"1,"):
        for kind in (b"\0", b"\1\1", b"\3\1\2\4", b"\6\1\4\2\1\6\3"):
            yield kind + text * (DEEP // len(text))
    for source in texts("src/component/wit/wave_test.cc"):
        for text in re.findall(rb'"((?:[^"\\\n]|\\.)*)"', source):
            text = text.replace(b'\\"', b'"').replace(b"\\\\", b"\\")
            for kind in (b"\0", b"\1\1", b"\3\1\2\4", b"\6\1\4\2\1\6\3"):
                yield kind + text


def manifests():
    """Manifests of the tests and examples; deep and long ones."""
    for text in (b"a.", b"[", b"{a=", b"[a.", b"[[a]]\n", b"'''\n", b"\\\n", b"#", b"1", b"_1", b"=\n", b"\xef\xbb\xbf"):
        for begin in (b"", b"[", b"[[", b"a = ", b'a = """', b"a.b = {"):
            yield begin + text * (DEEP // len(text))
    component = b"[components.a]\nsource = 'a'\n"
    yield component + b"[http.routes]\n" + b"".join(b'"/%d" = "a"\n' % i for i in range(1000))
    yield component + b"".join(b"allow-net%d = 1\n" % i for i in range(1000))
    yield b"".join(b"[components.c%d]\nsource = 'a'\n" % i for i in range(700))
    yield component + b"[components.a.links]\n" + b"".join(b"'a:b/c%d' = 'd'\n" % i for i in range(1000))
    yield from texts("examples/**/tenon.toml")
    for path in ("src/link/manifest_test.cc", "tests/e2e/test_plan.py"):
        for source in texts(path):
            yield from re.findall(rb'R"\w*\((.*?)\)\w*"', source, re.DOTALL)


def messages():
    """Heads and bodies out of the tests of HTTP, whole and as each kind of body; long ones."""
    long = 2900
    for text in (b"GET /" + b"a/" * (long // 2), b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * (long // 5), b"\r\n" * (long // 2),
                 b"GET / HTTP/1.1\r\nA: " + b"," * long, b"0" * long, b"1\r\nx\r\n" * (long // 6), b"1;" + b"a=b;" * (long // 4),
                 b"HTTP/1.1 100 A\r\n\r\n" * (long // 18), b"GET / HTTP/1.1\r\nCookie: " + b"a; " * (long // 3)):
        for framing in range(4):
            yield bytes([7, framing, 0, 5]) + text
    for source in texts("src/http/*_test.cc"):
        for text in re.findall(rb'"((?:[^"\\\n]|\\.)*)"', source):
            text = text.replace(b'\\"', b'"').replace(b"\\r", b"\r").replace(b"\\n", b"\n")
            for framing in range(4):
                yield bytes([7, framing, 0, 5]) + text


def names():
    """Mangled names out of the tests, and other text."""
    for path in ("src/base/demangle_test.cc", "src/base/text_test.cc"):
        for source in texts(path):
            yield from re.findall(rb'"((?:[^"\\\n]|\\.)*)"', source)


def choices():
    """Random bytes, the same each time: for what makes types and values of them."""
    random = Random(2026)
    for length in (8, 32, 100, 300, 1000, 2000):
        for _ in range(50):
            yield random.randbytes(length)


def seed(name, folder):
    corpus = os.path.join(folder, "corpus-" + name)
    os.makedirs(corpus, exist_ok=True)
    found = {"validate": lambda: components(folder), "wit": lambda: components(folder), "wave": values,
             "manifest": manifests, "http": messages, "text": names, "abi": choices, "transfer": choices, "wire": choices,
             "adapter": choices}[name]()
    for bytes in found:
        path = os.path.join(corpus, hashlib.sha256(bytes).hexdigest()[:20])
        if not os.path.exists(path):
            with open(path, "wb") as file:
                file.write(bytes)
    return corpus


def fuzz(name, seconds, folder):
    program = os.path.join(folder, "tenon_fuzz_" + name)
    command = [program, seed(name, folder), f"-max_total_time={seconds}", "-print_final_stats=1",
               f"-artifact_prefix={folder}/{name}-"] + OPTIONS[name]
    log = os.path.join(folder, name + ".log")
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_stack_use_after_return=0:allocator_may_return_null=1")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    with open(log, "wb") as out:
        status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment).returncode
    with open(log, "rb") as file:
        text = file.read().decode(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    edges = re.findall(r"cov: (\d+)", text)
    print(f"{name:10} {'ok' if status == 0 else 'FOUND SOMETHING':16} {runs.group(1) if runs else '?':>9} runs, "
          f"{edges[-1] if edges else '?':>6} edges", flush=True)
    if status != 0:
        lines = [line for line in text.splitlines() if not re.match(r"#\d+\t", line)]
        print("\n".join(lines[-60:]))
        for path in re.findall(r"Test unit written to (\S+)", text):
            print(f"again: {program} {path}")
    return status == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default="build-fuzz/tests/fuzz")
    parser.add_argument("name", nargs="?", default="all", choices=["all", *OPTIONS])
    parser.add_argument("seconds", nargs="?", type=int, default=60)
    arguments = parser.parse_args()
    folder = os.path.abspath(arguments.programs)
    names = list(OPTIONS) if arguments.name == "all" else [arguments.name]
    results = [fuzz(name, arguments.seconds, folder) for name in names]
    return 0 if all(results) else 1


sys.exit(main())
