#!/usr/bin/env python3
"""Gathers the components to mutate: corpus.py FOLDER fills the folder with the binaries of the official suite's
scripts and of wasm-tools' own component-model scripts, one file for each that differs. Does nothing when the
folder is newer than this script."""
import glob
import hashlib
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = "1.263.0"
COMPONENT = b"\0asm\x0d\0\1\0"


def places():
    """Where wasm-tools is, and the folders that may have the scripts that came with it, better ones first."""
    tool = subprocess.run([ROOT + "/deps/where", "wasm-tools"], check=True, capture_output=True, text=True).stdout.strip()
    cargo = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    folders = [os.path.join(tool, "tests")]
    folders += glob.glob(os.path.join(cargo, "registry", "src", "*", "wasm-tools-" + VERSION, "tests"))
    return os.path.join(tool, "bin", "wasm-tools"), folders


def find(folders, pattern):
    """The scripts that the pattern finds in the first folder that has any, each with its short name."""
    for folder in folders:
        found = sorted(glob.glob(os.path.join(folder, pattern), recursive=True))
        if found:
            return [(path, os.path.relpath(path, folder).replace("/", ".").removesuffix(".wast")) for path in found]
    return []


def convert(tool, script, strict):
    """The binaries of one script; none if it does not convert."""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, WAST_STRICT_COMPONENT_INDICES=strict)
        done = subprocess.run([tool, "json-from-wast", script, "-o", folder + "/out.json", "--wasm-dir", folder],
                              env=environment, capture_output=True)
        if done.returncode != 0:
            return []
        found = []
        for path in sorted(glob.glob(folder + "/*.wasm")):
            with open(path, "rb") as file:
                found.append(file.read())
        return found


def main():
    target = sys.argv[1]
    stamp = os.path.join(target, "stamp")
    if os.path.exists(stamp) and os.path.getmtime(stamp) > os.path.getmtime(__file__):
        return
    tool, folders = places()
    official = find(folders, "component-model/test/*/*.wast")
    if not official:
        sys.exit(f"the scripts of wasm-tools {VERSION} are not here: run scripts/setup")
    own = find(folders, "cli/component-model/**/*.wast")  # only where the crate's sources are
    scripts = [(path, name, "1") for path, name in official] + [(path, name, "0") for path, name in own]
    os.makedirs(target, exist_ok=True)
    count = 0
    with ThreadPoolExecutor(2) as pool:
        for (_, name, _), found in zip(scripts, pool.map(lambda item: convert(tool, item[0], item[2]), scripts)):
            for bytes in found:
                if bytes.startswith(COMPONENT):
                    digest = hashlib.sha256(bytes).hexdigest()[:12]
                    with open(os.path.join(target, f"{digest}.{name}.wasm"), "wb") as file:
                        file.write(bytes)
                    count += 1
    with open(stamp, "w") as file:
        file.write(f"{count}\n")
    print(f"{count} components of {len(scripts)} scripts")


main()
