"""What the tests of the command share: running it, and judging how it ended."""

import fcntl
import os
import pathlib
import pty
import re
import shutil
import struct
import subprocess
import tempfile
import termios
import time


class Skipped(Exception):
    """This machine cannot run the test."""


def both_links(function):
    """Also run with --no-rewriting."""
    function.both_links = True
    return function


def lock(name):
    """Not at the same time as others with this lock."""

    def mark(function):
        function.lock = name
        return function

    return mark


def one_core():
    """A `preexec_fn`: the command has one core, so that what it does for long takes long on any machine."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


ROOT = pathlib.Path(__file__).resolve().parents[2]


def wasm_tools(*words):
    """Runs wasm-tools; its standard output."""
    where = subprocess.run([ROOT / "deps/where", "wasm-tools"], capture_output=True, text=True, check=True)
    return subprocess.run([where.stdout.strip() + "/bin/wasm-tools", *words], capture_output=True, check=True).stdout


class Ended:
    """How a command ended."""

    def __init__(self, words, code, out, err, seconds, cpu):
        self.words, self.code, self.seconds, self.cpu = words, code, seconds, cpu
        self.raw_out, self.raw_err = out, err
        self.out, self.err = out.decode(errors="replace"), err.decode(errors="replace")

    def __str__(self):
        words = " ".join(self.words)
        return (f"{words}\n  exit code {self.code} after {self.seconds:.2f} s, {self.cpu:.2f} s of CPU time\n"
                f"  stdout: {self.out[:2000]!r}\n  stderr: {self.err[:3000]!r}")

    def succeeded(self, out=None):
        assert self.code == 0, f"failed: {self}"
        if out is not None:
            assert self.out == out, f"expected stdout {out!r}: {self}"
        return self

    def exited(self, code):
        assert self.code == code, f"expected exit code {code}: {self}"
        return self

    def refused(self, code, *parts, out=""):
        """One line from Tenon with all `parts`, then only indented lines; nothing on standard output."""
        assert self.code == code, f"expected exit code {code}: {self}"
        assert self.out == out, f"expected stdout {out!r}: {self}"
        assert self.err.endswith("\n"), f"no line end: {self}"
        lines = self.err[:-1].split("\n")
        begin = next((i for i, line in enumerate(lines) if line.startswith("tenon: ")), None)
        assert begin is not None, f"nothing from Tenon: {self}"
        for line in lines[begin + 1:]:
            assert line.startswith("  ") and line.strip(), f"{line!r} is not indented: {self}"
        for part in parts:
            assert part in lines[begin], f"{part!r} is not in the error: {self}"
        self.message, self.details, self.before = lines[begin], lines[begin + 1:], lines[:begin]
        return self


class Tenon:
    """The command under test. Each test has a folder of its own; all share one compile cache."""

    def __init__(self, options, case, literal):
        self.program = str(pathlib.Path(options.tenon).resolve())
        self.guests = pathlib.Path(options.guests).resolve()
        work = pathlib.Path(options.work)
        work.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=case.replace(":", "-") + "-", dir=work)).resolve()
        self.cache = (work / "cache").resolve()
        self.cache.mkdir(mode=0o700, exist_ok=True)
        self.literal = literal
        self.slow = options.slow

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def guest(self, name):
        path = self.guests / f"{name}.wasm"
        assert path.exists(), f"{path} is missing: run tests/guests/build"
        return str(path)

    def words(self, words):
        """The whole command line. Guests are named `@types`; `@name.json` and `@./name` are values in files."""
        words = [str(word) for word in words]
        words = [self.guest(word[1:]) if re.fullmatch(r"@[\w-]+", word) else word for word in words]
        if self.literal and words and words[0] in ("run", "call", "compile", "serve"):
            words.insert(1, "--no-rewriting")
        return [self.program, *words]

    def environment(self, env=None):
        kept = {"PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"}
        result = {name: value for name, value in os.environ.items() if name in kept}
        result["XDG_CACHE_HOME"] = str(self.cache)
        for name, value in (env or {}).items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = str(value)
        return result

    def start(self, *words, env=None, **options):
        """A running command, for tests that talk to it."""
        options.setdefault("stdin", subprocess.PIPE)
        options.setdefault("stdout", subprocess.PIPE)
        options.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(self.words(words), env=self.environment(env), cwd=self.folder, **options)

    def __call__(self, *words, input=b"", env=None, timeout=300, **options):
        """Runs a command to its end. `input` None: standard input is as in `options`."""
        if isinstance(input, str):
            input = input.encode()
        if input is None:
            options.setdefault("stdin", subprocess.DEVNULL)
        begin = time.monotonic()
        process = self.start(*words, env=env, **options)
        return self.finish(process, input, begin, timeout)

    def finish(self, process, input=None, begin=None, timeout=300):
        begin = begin or time.monotonic()
        before = os.times()
        try:
            out, err = process.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            ended = Ended(process.args, None, out or b"", err or b"", time.monotonic() - begin, 0)
            raise AssertionError(f"still running after {timeout} s: {ended}")
        after = os.times()
        cpu = (after.children_user + after.children_system - before.children_user - before.children_system)
        return Ended(process.args, process.returncode, out or b"", err or b"", time.monotonic() - begin, cpu)

    def on_terminal(self, *words, env=None, error=None, columns=80, **options):
        """What a command shows on a terminal, line ends as they were, and its exit code. `error`: where
        standard error goes instead."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = self.start(*words, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=error or theirs,
                             **options)
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # EIO: the other end is gone
                break
            if not part:
                break
            shown += part
        os.close(ours)
        return shown.decode(errors="replace").replace("\r\n", "\n"), process.wait(timeout=300)

    def file(self, name, content=b""):
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def component(self, name, text):
        """A component from its text."""
        source, path = self.file(f"{name}.wat", text), self.folder / f"{name}.wasm"
        wasm_tools("parse", source, "-o", path)
        return path

    def core_program(self, name, core):
        """A program from the text of a core module, which imports WASI and exports wasi:cli/run@0.2.12#run."""
        texts = self.folder / "wit"
        if not texts.exists():
            shutil.copytree(ROOT / "src/wasi/testing/wit", texts)
            world = next(texts.rglob("all.wit"))
            world.write_text(world.read_text().replace("\n}", "\n  export wasi:cli/run@0.2.12;\n}"))
        embedded, path = self.folder / f"{name}.core.wasm", self.folder / f"{name}.wasm"
        wasm_tools("component", "embed", "-w", "all", texts, self.file(f"{name}.wat", core), "-o", embedded)
        wasm_tools("component", "new", embedded, "-o", path)
        return path
