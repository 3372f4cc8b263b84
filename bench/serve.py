#!/usr/bin/env python3
"""Figures of whole processes: `tenon serve` and `tenon run`, beside `wasmtime serve` and `wasmtime run` where
that command is there (scripts/bench --peers fetches it, of the pinned release and the newest). Of HTTP, server and client have a core each; the two
sides take turns, and each has its best round.

  bench/serve.py [--tenon FILE] [--load FILE] [--wasmtime FILE]... [--seconds S] [--rounds N] [--json FILE] [NAME...]

Names: http/hello http/two-components http/stream-1g http/idle-10k start/serve fs/read-1g fs/small-files, or
beginnings of them. What is more is better, but for KiB and ms; `wasmtime` is the best of the commands beside it, and
`ratio` Tenon's number by that.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
GUESTS = pathlib.Path(os.environ.get("TENON_GUESTS_OUT") or ROOT / "build/guests")
GIB = 1 << 30
SMALL_FILES = 10000


class Served:
    """A running server on core 0."""

    def __init__(self, command):
        self.begin = time.monotonic()
        pinned = ["taskset", "-c", "0", *map(str, command)]
        self.process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            match = re.search(r"https?://[^:]+:(\d+)", line)
            if match:
                self.port = match[1]
                break
        else:
            raise SystemExit(f"does not serve: {command}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def memory(self):
        """Resident KiB."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def get(self, path="/"):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}") as response:
            return response.read()


def tenon(options, *words):
    return Served([options.tenon, "serve", "--addr", "127.0.0.1:0", "--log", "none", *words])


def wasmtimes(options, file):
    """For each command beside us: its name and a function that makes a server."""
    # Rust's standard library imports wasi:cli, which `wasmtime serve` provides when it is told to.
    return {name: lambda program=program: Served([program, "serve", "-S", "cli", "--addr", "127.0.0.1:0", file])
            for name, program in options.wasmtimes.items()}


def client(options, server, *words):
    return subprocess.Popen(["taskset", "-c", "1", options.load, server.port, *words], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def load(options, server, *words):
    with client(options, server, *words) as process:
        out = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"the client failed: {out}")
    return json.loads(out)


def row(name, unit, ours, theirs, goal, **more):
    ratio = ours / theirs if theirs else None
    named = {key.replace("_", "-"): value for key, value in more.items() if value is not None}
    return {"name": name, "unit": unit, "tenon": ours, "wasmtime": theirs, "ratio": ratio, **named, "goal": goal}


def race(options, sides):
    """`sides`: name -> a function that returns a server. Requests per second and latencies of each."""
    best = {}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(make()) for name, make in sides.items()}
        for _ in range(options.rounds):
            for name, server in servers.items():
                result = load(options, server, "--seconds", str(options.seconds))
                if name not in best or result["requests_per_second"] > best[name]["requests_per_second"]:
                    best[name] = result
    return best


def hello(options):
    file = GUESTS / "http_hello.wasm"
    best = race(options, {"tenon": lambda: tenon(options, file), **wasmtimes(options, file)})
    ours = best.pop("tenon")
    theirs = max(best.values(), key=lambda result: result["requests_per_second"], default={})
    return row("http/hello", "requests/s", ours["requests_per_second"], theirs.get("requests_per_second"),
               ">= 2.0; p99 <= its p99", p50_us=ours["p50_us"], p99_us=ours["p99_us"],
               wasmtime_p50_us=theirs.get("p50_us"), wasmtime_p99_us=theirs.get("p99_us"),
               **{name: result["requests_per_second"] for name, result in best.items()})


def two_components(options):
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder) / "tenon.toml"
        manifest.write_text(f'name = "w"\n[components.front]\nsource = "{GUESTS}/http_front.wasm"\n'
                            f'[components.store]\nsource = "{GUESTS}/http_greeter.wasm"\n')
        best = race(options, {"one": lambda: tenon(options, GUESTS / "http_hello.wasm"),
                              "two": lambda: tenon(options, manifest)})
    one, two = (best[name]["requests_per_second"] for name in ("one", "two"))
    return row("http/two-components", "requests/s", two, None, "of-hello >= 0.95", hello=one,
               of_hello=round(two / one, 3), p50_us=best["two"]["p50_us"], p99_us=best["two"]["p99_us"])


def stream(options):
    def run(make):
        with make() as server:
            server.get()
            before = most = server.memory()
            with client(options, server, "--echo", str(GIB), "--path", "/echo") as process:
                while process.poll() is None:
                    most = max(most, server.memory())
                    time.sleep(0.05)
                out = process.stdout.read()
            if process.returncode != 0:
                raise SystemExit(f"the client failed: {out}")
            return {"speed": 1024 / json.loads(out)["seconds"], "growth": most - before}

    file = GUESTS / "http_web.wasm"
    sides = {"tenon": lambda: tenon(options, "--max-body", "2G", file), **wasmtimes(options, file)}
    best = {}
    for _ in range(options.rounds):
        for name, make in sides.items():
            result = run(make)
            if name not in best or result["speed"] > best[name]["speed"]:
                best[name] = result
    ours = best.pop("tenon")
    theirs = max(best.values(), key=lambda result: result["speed"], default={})
    return row("http/stream-1g", "MiB/s", round(ours["speed"]), theirs.get("speed"), ">= 1.5; memory flat",
               resident_growth_kib=ours["growth"], wasmtime_resident_growth_kib=theirs.get("growth"),
               **{name: round(result["speed"]) for name, result in best.items()})


def idle(options):
    with tenon(options, GUESTS / "http_hello.wasm") as server:
        server.get()
        before = server.memory()
        with client(options, server, "--idle", "10000") as process:
            process.stdout.readline()
            used = server.memory() - before
            process.stdin.close()
    return row("http/idle-10k", "KiB", round(used / 10000, 2), None, "<= 20 for each connection")


def start(options):
    def once(make):
        with make() as server:
            server.get()
            return (time.monotonic() - server.begin) * 1000

    file = GUESTS / "http_hello.wasm"
    sides = {"tenon": lambda: tenon(options, file), **wasmtimes(options, file)}
    times = {name: [] for name in sides}
    for _ in range(10):
        for name, make in sides.items():
            times[name].append(once(make))
    best = {name: round(min(all_times), 1) for name, all_times in times.items()}
    return row("start/serve", "ms", best.pop("tenon"), min(best.values(), default=None), "<= 30",
               median=round(sorted(times["tenon"])[len(times["tenon"]) // 2], 1), **best)


def files(options, name, unit, amount, words, goal):
    """The guest's own time for what `words` say, in a folder that has `big`, of 1 GiB."""
    guest = GUESTS / "bench_files.wasm"
    # In memory: no disk is measured.
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        with open(pathlib.Path(folder) / "big", "wb") as big:
            for _ in range(1024 if "/data/big" in words else 0):
                big.write(b"tenon---" * (1 << 17))
        (pathlib.Path(folder) / "small").mkdir()
        # `tenon run FILE WORDS`, `wasmtime run FILE WORDS`.
        sides = {"tenon": [options.tenon, "run", "--dir", f"{folder}::/data", guest]}
        for side, program in options.wasmtimes.items():
            sides[side] = [program, "run", "--dir", f"{folder}::/data", guest]
        times = {side: [] for side in sides}
        for _ in range(options.rounds + 1):
            for side, command in sides.items():
                done = subprocess.run([*map(str, command), *words], capture_output=True, text=True)
                if done.returncode != 0:
                    raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
                times[side].append(int(done.stdout))
    speed = {side: round(amount * 1e9 / min(all_times)) for side, all_times in times.items()}
    return row(name, unit, speed.pop("tenon"), max(speed.values(), default=None), goal, **speed)


def read_big(options):
    return files(options, "fs/read-1g", "MiB/s", 1024, ["read", "/data/big"], ">= 1.0")


def small_files(options):
    words = ["small", "/data/small", str(SMALL_FILES)]
    return files(options, "fs/small-files", "files/s", SMALL_FILES, words, ">= 1.0")


FIGURES = {
    "http/hello": hello,
    "http/two-components": two_components,
    "http/stream-1g": stream,
    "http/idle-10k": idle,
    "start/serve": start,
    "fs/read-1g": read_big,
    "fs/small-files": small_files,
}


def show(item):
    extra = {key: item[key] for key in item if key not in ("name", "unit", "tenon", "wasmtime", "ratio", "goal")}
    theirs = "-" if item["wasmtime"] is None else f"{item['wasmtime']:.1f}"
    ratio = "-" if item["ratio"] is None else f"{item['ratio']:.3f}"
    print(f"{item['name']:<22} {item['tenon']:>12.1f} {theirs:>12} {ratio:>8} {item['unit']:<12}{item['goal']}  "
          + "  ".join(f"[{key} {value}]" for key, value in extra.items()), flush=True)


def find_wasmtimes():
    """The commands that deps/build has fetched, or the one that is installed."""
    done = subprocess.run([ROOT / "deps/where", "wasmtime-cli", "wasmtime-newest"], capture_output=True, text=True, check=True)
    found = [pathlib.Path(line) / "bin/wasmtime" for line in done.stdout.split()]
    return [path for path in found if path.exists()] or [path for path in (shutil.which("wasmtime"),) if path]


def version(program):
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()
    return "-".join(words[:2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tenon", default=ROOT / "build/tenon")
    parser.add_argument("--load", default=ROOT / "build/bench/tenon_http_load")
    parser.add_argument("--wasmtime", action="append", help="again for several; the best of them counts")
    parser.add_argument("--no-peers", action="store_true", help="nothing beside us")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    peers = [] if options.no_peers else options.wasmtime or find_wasmtimes()
    options.wasmtimes = {version(program): program for program in peers}
    wanted = [name for name in FIGURES
              if not options.names or any(name.startswith(part) for part in options.names)]
    if not wanted:
        parser.error("no figure has such a name")
    print(f"{'figure':<22} {'tenon':>12} {'wasmtime':>12} {'ratio':>8} {'unit':<12}to reach")
    rows = []
    for name in wanted:
        rows.append(FIGURES[name](options))
        show(rows[-1])
    if options.json:
        for item in rows:
            del item["goal"]
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
