#!/usr/bin/env python3
"""Figures of `tenon serve`, beside `wasmtime serve` where it is there. Server and client have a core each.

  bench/serve.py [--tenon FILE] [--load FILE] [--wasmtime FILE] [--seconds S] [--json FILE] [NAME...]

Names: http/hello http/two-components http/idle-10k start/serve.
"""

import argparse
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


class Served:
    """A running server on core 0."""

    def __init__(self, command, core="0"):
        self.begin = time.monotonic()
        pinned = ["taskset", "-c", core, *map(str, command)]
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


def load(options, server, *words):
    command = ["taskset", "-c", "1", options.load, server.port, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"the client failed: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def hello(options):
    seconds = ["--seconds", str(options.seconds)]
    with tenon(options, GUESTS / "http_hello.wasm") as server:
        ours = load(options, server, *seconds)
    result = {"tenon": ours}
    if options.wasmtime:
        command = [options.wasmtime, "serve", "--addr", "127.0.0.1:0", GUESTS / "http_hello.wasm"]
        with Served(command) as server:
            result["wasmtime"] = load(options, server, *seconds)
        result["ratio"] = round(ours["requests_per_second"] / result["wasmtime"]["requests_per_second"], 2)
    return result


def two_components(options):
    with tempfile.TemporaryDirectory() as folder:
        example = ROOT / "build/examples/webapp"
        (pathlib.Path(folder) / "data").mkdir()
        manifest = pathlib.Path(folder) / "tenon.toml"
        manifest.write_text(f'name = "w"\n[components.front]\nsource = "{example}/front.wasm"\n[components.store]\n'
                            f'source = "{example}/store.wasm"\ndirs = [{{ host = "data", guest = "/notes" }}]\n')
        with tenon(options, manifest) as server:
            one = load(options, server, "--seconds", str(options.seconds), "--path", "/")
            both = load(options, server, "--seconds", str(options.seconds), "--path", "/api/notes")
    return {"front alone": one, "front and store": both}


def idle(options):
    with tenon(options, GUESTS / "http_hello.wasm") as server:
        server.get()
        before = server.memory()
        command = [options.load, server.port, "--idle", "10000"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            client.stdout.readline()
            used = server.memory() - before
            client.stdin.close()
    return {"KiB_per_connection": round(used / 10000, 2)}


def start(options):
    times = []
    for _ in range(10):
        with tenon(options, GUESTS / "http_hello.wasm") as server:
            server.get()
            times.append((time.monotonic() - server.begin) * 1000)
    return {"ms": round(sorted(times)[len(times) // 2], 1)}


FIGURES = {"http/hello": hello, "http/two-components": two_components, "http/idle-10k": idle, "start/serve": start}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tenon", default=ROOT / "build/tenon")
    parser.add_argument("--load", default=ROOT / "build/bench/tenon_http_load")
    parser.add_argument("--wasmtime", default=shutil.which("wasmtime"))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    unknown = set(options.names) - set(FIGURES)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    results = {}
    for name in options.names or FIGURES:
        results[name] = FIGURES[name](options)
        print(f"{name}: {json.dumps(results[name])}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
