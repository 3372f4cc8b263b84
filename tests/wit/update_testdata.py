#!/usr/bin/env python3
"""Makes src/component/wit/testdata anew from the cases beside this file.

Each case becomes NAME.wasm, what wasm-tools prints of it, NAME.wit, and Tenon's own NAME.json, which
must be read before it is checked in. Only needed when a case or the shape of the JSON changes.
"""

import pathlib
import subprocess
import sys
import tempfile

import compare_wit

HERE = pathlib.Path(__file__).parent
TESTDATA = HERE.parent.parent / "src/component/wit/testdata"


def output(*command):
    return subprocess.run(command, capture_output=True, check=True).stdout


def main():
    if len(sys.argv) != 2:
        print("usage: update_testdata.py PRINT_WIT")
        return 2
    wasm_tools = compare_wit.find_wasm_tools()
    TESTDATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for source, path in compare_wit.binaries(wasm_tools, HERE / "cases", work):
            printed = subprocess.run([wasm_tools, "component", "wit", path], capture_output=True,
                                     check=False)
            if printed.returncode != 0:
                continue
            is_package = isinstance(source, pathlib.Path) and source.suffix == ".wit"
            name = pathlib.Path(str(source).split(" ")[0]).stem + ("_package" if is_package else "")
            binary = TESTDATA / f"{name}.wasm"
            output(wasm_tools, "strip", "--delete", "producers|name|component-name", path, "-o",
                   binary)
            (TESTDATA / f"{name}.wit").write_bytes(output(wasm_tools, "component", "wit", binary))
            (TESTDATA / f"{name}.json").write_bytes(output(sys.argv[1], "--json", binary))
            print(f"{name}: {binary.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
