#!/usr/bin/env python3
"""Compares the WIT that Tenon prints with what `wasm-tools component wit` prints, byte for byte.

Over every component in the guests' folder and every *.wat and *.wit in the folder of cases, which
wasm-tools turns into binaries first; further files and folders may be named. A component that
wasm-tools cannot show must be refused by Tenon as well. Prints one line per difference and a count.

Exit code: 0 the same, 1 a difference, 77 no wasm-tools (a skipped test for ctest).
"""

import argparse
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SLOWEST = 1.0  # seconds for one component, whole process


def find_wasm_tools():
    named = os.environ.get("WASM_TOOLS")
    if named:
        return named
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    installed = cache / "tenon/deps/wasm-tools-1.263.0/bin/wasm-tools"
    return str(installed) if installed.exists() else None


def run(*command):
    return subprocess.run(command, capture_output=True, check=False)


def binaries(wasm_tools, folder, work):
    """The components of `folder`, sources turned into binaries. Sorted."""
    found = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix == ".wasm":
            found.append((path, path))
        elif path.suffix in (".wat", ".wit"):
            name = str(path.relative_to(folder)).replace("/", "_")
            target = pathlib.Path(work) / (name + ".wasm")
            if path.suffix == ".wat":
                made = run(wasm_tools, "parse", path, "-o", target)
            else:
                made = run(wasm_tools, "component", "wit", "--all-features", path, "-w", "-o", target)
            if made.returncode == 0:
                found.append((path, target))
            else:
                print(f"no binary of {path}: {made.stderr.decode().splitlines()[:1]}")
            if path.suffix == ".wit" and dummy(wasm_tools, path, target.with_suffix(".c.wasm")):
                found.append((f"{path} (a component)", target.with_suffix(".c.wasm")))
    return found


def dummy(wasm_tools, path, target):
    """Makes a component that does nothing of the world that is named like the file, if there is one."""
    module = target.with_suffix(".core.wasm")
    made = run(wasm_tools, "component", "embed", "--dummy", "--all-features", "-w", path.stem, path,
               "-o", module)
    return (made.returncode == 0
            and run(wasm_tools, "component", "new", module, "-o", target).returncode == 0)


def is_component(path):
    with open(path, "rb") as file:
        return file.read(8)[4:8] == b"\x0d\x00\x01\x00"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print-wit", required=True, help="the program that prints Tenon's WIT")
    parser.add_argument("--guests", help="a folder of components")
    parser.add_argument("--cases", help="a folder of *.wat, *.wit and *.wasm")
    parser.add_argument("--verbose", action="store_true", help="show differences and errors in full")
    parser.add_argument("more", nargs="*", help="more folders of cases")
    args = parser.parse_args()
    wasm_tools = find_wasm_tools()
    if wasm_tools is None:
        print("wasm-tools 1.263.0 is not there: run scripts/setup --for test, or set WASM_TOOLS")
        return 77
    folders = [folder for folder in [args.guests, args.cases, *args.more]
               if folder and os.path.isdir(folder)]
    same = refused = different = 0
    with tempfile.TemporaryDirectory() as work:
        for folder in folders:
            for source, path in binaries(wasm_tools, folder, work):
                if not is_component(path):
                    continue
                expected = run(wasm_tools, "component", "wit", path)
                start = time.monotonic()
                found = run(args.print_wit, path)
                took = time.monotonic() - start
                if found.returncode not in (0, 1):
                    print(f"{source}: exit code {found.returncode}: {found.stderr.decode()}")
                    different += 1
                elif took > SLOWEST and path.stat().st_size < 25 << 20:
                    print(f"{source}: took {took:.1f} s")
                    different += 1
                elif expected.returncode != 0 and found.returncode != 0:
                    refused += 1
                    if args.verbose:
                        print(f"{source}: {found.stderr.decode().strip()}")
                        print("   theirs: " + " ".join(expected.stderr.decode().split()))
                elif expected.returncode != 0:
                    print(f"{source}: printed, but wasm-tools says: "
                          + " ".join(expected.stderr.decode().split()))
                    different += 1
                elif found.returncode != 0:
                    print(f"{source}: {found.stderr.decode().strip()}")
                    different += 1
                elif expected.stdout != found.stdout:
                    print(f"{source}: the text differs")
                    different += 1
                    lines = difflib.unified_diff(expected.stdout.decode().splitlines(),
                                                 found.stdout.decode().splitlines(),
                                                 "wasm-tools", "tenon", lineterm="")
                    for line in list(lines)[:None if args.verbose else 12]:
                        print("   " + line)
                else:
                    same += 1
    print(f"{same} the same, {refused} refused by both, {different} different")
    if same == 0:
        print("there was nothing to compare: build the guests first")
        return 1
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
