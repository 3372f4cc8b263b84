#!/usr/bin/env python3
"""Runs the programs of tests/guests with `tenon run` and with `wasmtime run`: their standard output, the files that
they leave and their exit codes must be the same.

  tests/peers/run.py [--tenon FILE] [--wasmtime FILE]... [--guests DIR] [--only TEXT] [-v]

What is different on purpose stands in DIFFERENCES, with the reason; one that has gone is an error too.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PATIENCE = 600


class Case:
    """A program with its words. `{}` in a word is the address of a server of ours."""

    def __init__(self, guest, *words, input=b"", env=(), dirs=(), net=False, same=lambda out: out):
        self.guest, self.words, self.input, self.env, self.dirs = guest, words, input, env, dirs
        self.net, self.same = net, same  # `same`: what of the output has to be

    @property
    def name(self):
        words = [word if len(word) < 30 else word[:27] + "..." for word in self.words]
        more = [*(["--env"] if self.env else []), *(f"--dir {mode}" for _, mode in self.dirs), *(["--net"] * self.net)]
        return " ".join([self.guest, *words, *more])


def no_numbers(out):
    return re.sub(rb"\d+", b"N", out)


LINES = b"one\ntwo\n\nfour without an end"
DATA = [("data", "rw")]
READ_ONLY = [("data", "ro")]


def cases():
    yield Case("hello")
    yield Case("c_hello")
    yield Case("py_hello")
    for code in ("0", "1", "7", "42", "255"):
        yield Case("exit_code", code)
    for guest in ("cli", "c_cli"):
        yield Case(guest)
        yield Case(guest, "nonsense")
        yield Case(guest, "args")
        yield Case(guest, "args", "one", "", "two words", "-x", "--option=1", "--", "\u00e4\u20ac", "a" * 5000)
        yield Case(guest, "env")
        yield Case(guest, "env", env=[("A", "1"), ("EMPTY", ""), ("B", "x=y z"), ("A", "2")])
        for data in (b"", LINES, os.urandom(300_000)):
            yield Case(guest, "cat", input=data)
        yield Case(guest, "lines", input=LINES)
        for code in ("0", "1", "7", "125", "255", "256"):
            yield Case(guest, "exit", code)
        yield Case(guest, "trap")
        yield Case(guest, "stderr", "text")
        yield Case(guest, "both")
        yield Case(guest, "sleep", "20")
        yield Case(guest, "clock", "10", same=no_numbers)
        yield Case(guest, "random", same=no_numbers)
        for path in ("data/note", "data/nowhere", "data", "data/../data/note", "/etc/passwd", "data/out", "data/sub/../note"):
            yield Case(guest, "read-file", path)
            yield Case(guest, "read-file", path, dirs=DATA)
            yield Case(guest, "read-file", path, dirs=READ_ONLY)
    yield Case("c_cli", "sort", input=LINES)
    for code in ("0", "1", "7"):
        yield Case("c_cli", "return", code)
    yield Case("c_cli", "abort")
    yield Case("cli", "exit-failure")
    yield Case("cli", "return-error")
    yield Case("cli", "panic")
    yield Case("cli", "panic", "with a text")
    yield Case("cli", "recurse")
    yield Case("cli", "big-output", "3000000")
    yield Case("cli", "alloc", "64")
    for dirs in (DATA, []):  # wasmtime has no read-only directories
        yield Case("cli", "write-file", "data/new", "content", dirs=dirs)
        yield Case("cli", "write-file", "data/note", "content", dirs=dirs)
        yield Case("cli", "write-file", "data/out", "content", dirs=dirs)
        yield Case("cli", "list-dir", "data", dirs=dirs)
        yield Case("cli", "list-dir", "data/sub", dirs=dirs)
        yield Case("cli", "list-dir", "data/note", dirs=dirs)
        yield Case("cli", "list-dir", "data/nowhere", dirs=dirs)
        yield Case("sockets_files", "all", "data", dirs=dirs)
        yield Case("sockets_files", "sparse", "data/large", dirs=dirs)
        yield Case("sockets_files", "make", "data/many", "200", dirs=dirs)
        yield Case("sockets_files", "count", "data", dirs=dirs)
        yield Case("sockets_files", "escape", "data", "secret", dirs=dirs)
        yield Case("sockets_files", "copy", "data/note", "data/copy", dirs=dirs)
        for path in ("data/note", "data/sub", "data/link", "data/out", "data/nowhere", "data/note/x"):
            for flags in ("", "r", "w", "rw", "wc", "wx", "wt", "wct", "a", "ac"):
                yield Case("sockets_files", "kind", path, flags, dirs=dirs)
    yield Case("sockets_files")
    yield Case("sockets_net")
    for net in (True, False):
        yield Case("cli", "connect", "{}", net=net)
        yield Case("cli", "connect", "127.0.0.1:1", net=net)
        yield Case("cli", "resolve", "127.0.0.1", net=net)
        yield Case("cli", "resolve", "localhost", net=net, same=lambda out: b"\n".join(sorted(set(out.split()))))
        yield Case("cli", "resolve", "no-such-host.invalid", net=net)
        yield Case("sockets_net", "ask", "{}", "hello", net=net)
        yield Case("sockets_net", "stream", "{}", "3", net=net)
        yield Case("sockets_net", "ask", "127.0.0.1:1", "hello", net=net)
        yield Case("sockets_net", "resolve", "nonsense name", net=net)


# A pattern for the names of cases: what Tenon does otherwise, and why.
DIFFERENCES = {
    r"^cli resolve (localhost|no-such-host\.invalid)$":
        "a look-up that nothing grants is access-denied, wasmtime has permanent-resolver-failure: a program can say "
        "that it lacks a permission, and does not take it for a name server's fault",
    r"^sockets_net resolve nonsense name$":
        "a name that cannot be one is invalid-argument whether look-ups are granted or not, as the WIT text has it; "
        "wasmtime looks at the grant first",
}


class Echo:
    """Sends every connection back what it sends."""

    def __init__(self):
        import socket
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            try:
                while data := client.recv(65536):
                    client.sendall(data)
            except OSError:
                pass


def prepare(folder):
    """What the programs may find, the same each time."""
    data = folder / "data"
    (data / "sub").mkdir(parents=True)
    (data / "note").write_text("a note\n")
    (data / "sub/deep").write_text("deep\n")
    (data / "link").symlink_to("note")
    (data / "out").symlink_to("../secret")
    (folder / "secret").write_text("secret\n")


def contents(folder):
    """Each file, folder and link below it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[name] = "folder"
        else:
            size = path.stat().st_size
            found[name] = path.read_bytes() if size < 100_000 else f"{size} bytes"
    return found


def run(command, case, work):
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = pathlib.Path(name)
        prepare(folder)
        env = {**os.environ, "RUST_BACKTRACE": "0", "WASMTIME_BACKTRACE_DETAILS": "0"}
        done = subprocess.run(command, cwd=folder, env=env, input=case.input, capture_output=True, timeout=PATIENCE)
        return done.returncode, case.same(done.stdout), contents(folder), done.stderr


def commands(case, options, program, echo):
    guest = str(options.guests / f"{case.guest}.wasm")
    words = [word.replace("{}", echo.address) for word in case.words]
    tenon, wasmtime = [options.tenon, "run"], [program, "run", "-S", "cli-exit-with-code=y"]
    for name, value in case.env:
        tenon += ["--env", f"{name}={value}"]
        wasmtime += ["--env", f"{name}={value}"]
    for folder, mode in case.dirs:
        tenon += ["--dir", f"{folder}::{folder}" + (":ro" if mode == "ro" else "")]
        wasmtime += ["--dir", f"{folder}::{folder}"]
    if case.net:
        tenon += ["--allow-net", "*:*", "--allow-listen", "*:*"]
        wasmtime += ["-S", "inherit-network", "-S", "allow-ip-name-lookup"]
    return [[*tenon, guest, *words], [*wasmtime, guest, *words]]


def show(result):
    code, out, files, err = result
    text = out if len(out) < 500 else out[:500] + b"..."
    return f"exit code {code}, {len(out)} bytes of output {text!r}, files {list(files)}\n    {err[-500:]!r}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tenon", default=REPOSITORY / "build/tenon")
    parser.add_argument("--wasmtime", action="append", help="again for several; default: those that deps/build fetched")
    parser.add_argument("--guests", type=pathlib.Path, default=REPOSITORY / "build/guests")
    parser.add_argument("--only", default="", help="cases whose name has this text")
    parser.add_argument("-v", action="store_true", help="show each case")
    options = parser.parse_args()
    peers = options.wasmtime or find_wasmtimes()
    if not peers:
        sys.exit("peers: there is no wasmtime: scripts/test --peers fetches it")
    options.guests = options.guests.resolve()
    options.tenon = str(pathlib.Path(options.tenon).resolve())
    return max([compare(options, str(pathlib.Path(peer).resolve())) for peer in peers])


def find_wasmtimes():
    done = subprocess.run([REPOSITORY / "deps/where", "wasmtime-cli", "wasmtime-newest"], capture_output=True, text=True, check=True)
    found = [pathlib.Path(line) / "bin/wasmtime" for line in done.stdout.split()]
    return [path for path in found if path.exists()] or [path for path in (shutil.which("wasmtime"),) if path]


def compare(options, program):
    """0 if all cases are as they should be beside this wasmtime, else 1."""
    version = " ".join(subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[:2])
    echo, begin, count, bad = Echo(), time.monotonic(), 0, 0
    excused = set()
    with tempfile.TemporaryDirectory(prefix="tenon-peers-") as work:
        for case in cases():
            if options.only not in case.name:
                continue
            count += 1
            mine, theirs = (run(command, case, work) for command in commands(case, options, program, echo))
            equal = mine[:3] == theirs[:3]
            reason = next((text for text in DIFFERENCES if re.search(text, case.name)), None)
            if options.v:
                print(f"{'same' if equal else 'other'}: {case.name}", flush=True)
            if reason:
                excused.add((reason, equal))
            elif not equal:
                bad += 1
                print(f"different: {case.name}\n  tenon:    {show(mine)}\n  wasmtime: {show(theirs)}", flush=True)
    for reason in DIFFERENCES:
        if not options.only and (reason, False) not in excused:
            bad += 1
            print(f"no longer different: {reason}")
    print(f"peers: {version}: {count} programs, {bad} different, {len({r for r, e in excused if not e})} kinds of difference on "
          f"purpose ({time.monotonic() - begin:.0f} s)")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
