#!/usr/bin/env python3
"""Follows README.md word by word: every block of shell commands, in order, in one shell that keeps its folder and its
variables, in a clone of the tree with the build of this one.

  tests/readme/run.py --build DIR [--root DIR]

A line that ends in `# => TEXT` must print TEXT as its last line. A command that serves runs on while the next block
is a question to it, and is stopped then. Left out is only what SKIPPED names.
"""

import argparse
import os
import pathlib
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {
    "scripts/demo": "scripts/fresh runs it, on a new machine",
    "scripts/test": "scripts/fresh runs it, on a new machine; and this is one of its tests",
}
PATIENCE = 300
PORT = 8080


def blocks(text):
    """The blocks of shell commands, each a list of commands: a line, or one with its here-document."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        commands, lines = [], block.splitlines()
        while lines:
            command = [lines.pop(0)]
            here = re.search(r"<<'(\w+)'", command[0])
            while here and command[-1] != here[1]:
                command.append(lines.pop(0))
            commands.append("\n".join(command))
        yield commands


class Shell:
    """A bash that runs one command after the other."""

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        self.count = 0

    def run(self, command):
        """Exit code and output."""
        self.count += 1
        mark = f"--- {self.count} ended with "
        self.process.stdin.write(f"{command}\nprintf '\\n%s%s\\n' {shlex.quote(mark)} $?\n".encode())
        self.process.stdin.flush()
        out, deadline = b"", time.monotonic() + PATIENCE
        while True:
            ended = re.search(rb"\n" + mark.encode() + rb"(\d+)\n$", out)
            if ended:
                return int(ended[1]), out[: ended.start()].decode(errors="replace")
            ready = select.select([self.process.stdout], [], [], deadline - time.monotonic())[0]
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                raise AssertionError(f"no end of {command!r} within {PATIENCE} s: {out.decode(errors='replace')}")
            out += data

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port():
    """README's own when nobody has it, else another."""
    for port in (PORT, 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as listener:
                return listener.getsockname()[1]
        except OSError:
            continue
    raise AssertionError("there is no free port")


def wait_for(port):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing listens on port {port} after {PATIENCE} s")


class Reader:
    def __init__(self, shell, port):
        self.shell, self.port, self.serving = shell, port, False

    def follow(self, commands):
        for command in commands:
            words = command.split("#")[0].strip()
            if words in SKIPPED:
                print(f"  (left out: {words}: {SKIPPED[words]})", flush=True)
                continue
            if words.startswith("tenon serve "):
                self.serve(words)
            elif not words.startswith("curl "):
                self.stop()
                self.one(command)
            else:
                assert self.serving, f"{words}: nothing serves"
                self.one(command)

    def one(self, command):
        first, separator, expected = command.split("\n")[0].partition("# => ")
        begin = time.monotonic()
        code, out = self.shell.run(self.with_port(first if separator else command))
        print(f"$ {first.strip()}   [{time.monotonic() - begin:.1f} s]", flush=True)
        assert code == 0, f"exit code {code}:\n{out}"
        if separator:
            last = out.rstrip("\n").split("\n")[-1]
            assert last == expected.strip(), f"it printed {last!r}, README says {expected.strip()!r}"

    def with_port(self, command):
        return command.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{self.port}")

    def serve(self, words):
        self.stop()
        if self.port != PORT:  # somebody else has the default one
            words = words.replace("tenon serve ", f"tenon serve --addr 127.0.0.1:{self.port} ")
        print(f"$ {words} &", flush=True)
        code, out = self.shell.run(f"{words} >served.log 2>&1 & server=$!")
        assert code == 0, out
        self.serving = True
        wait_for(self.port)

    def stop(self):
        if self.serving:
            code, out = self.shell.run("kill $server && wait $server 2>/dev/null; cat served.log; rm served.log")
            assert code == 0 and "error" not in out, out
        self.serving = False


def prepare(root, build):
    """A clone as git would make it of the working tree, with this build in it."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in done.stdout.split("\0"):
        source, target = REPOSITORY / name, root / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (root / "build").symlink_to(build)


def environment(root):
    home = pathlib.Path(os.environ.get("HOME", "/root"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TENON_", "CARGO_TARGET"))}
    kept.setdefault("CARGO_HOME", str(home / ".cargo"))
    kept.setdefault("RUSTUP_HOME", str(home / ".rustup"))
    kept.setdefault("XDG_CACHE_HOME", str(home / ".cache"))
    kept.setdefault("npm_config_cache", str(home / ".npm"))
    (root / "home").mkdir()
    return {**kept, "HOME": str(root / "home"), "NPM_CONFIG_USERCONFIG": str(home / ".npmrc"), "TERM": "dumb"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--root", type=pathlib.Path, help="a new folder for the clone, which is kept")
    options = parser.parse_args()
    root = options.root or pathlib.Path(tempfile.mkdtemp(prefix="tenon-readme-"))
    tree = root / "tenon"
    tree.mkdir(parents=True)
    shell = None
    try:
        prepare(tree, options.build.resolve())
        shell = Shell(tree, environment(root))
        reader = Reader(shell, free_port())
        for commands in blocks((REPOSITORY / "README.md").read_text()):
            reader.follow(commands)
        reader.stop()
        return 0
    except AssertionError as problem:
        print(f"README.md: {problem}", file=sys.stderr)
        return 1
    finally:
        if shell:
            shell.close()
        if not options.root:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
