#!/usr/bin/env python3
"""Writes the figures of a benchmark run into README.md.

    scripts/bench --json figures.json && tools/readme_figures.py figures.json

The table between the two marks of README.md is replaced; nothing else changes.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "..", "README.md")
BEGIN = "<!-- figures:"
END = "<!-- /figures -->"
WHAT = {
    "export/nop": "the host calls an export, `u32 -> u32`",
    "export/string-16": "16 bytes of string in and out",
    "export/list-u8-64k": "64 KiB of bytes in and out",
    "import/nop": "a guest calls a host function, `u32 -> u32`",
    "import/string-16": "a guest passes 16 bytes of string to the host",
    "fused/u32": "a component calls another, `u32 -> u32`",
    "fused/string-1k": "the same with 1 KiB of string",
    "fused/list-u8-64k": "the same with 64 KiB of bytes",
    "fused/resource-method": "the same, a method of a resource",
    "instantiate/rust-command": "a fresh store and instance of a Rust program",
    "instantiate/fused-pair": "fresh instances of two linked Rust components, with their store",
    "start/hello": "a whole process, `tenon run hello.wasm`, cache warm",
    "http/hello": "HTTP requests, a fresh instance each, one core; beside `wasmtime serve`",
    "http/stream-1g": "1 GiB echoed by a guest; beside `wasmtime serve`",
}


def amount(value, unit):
    if value is None:
        return ""
    return duration(value) if unit == "ns" else f"{value:,.0f} {unit}"


def duration(nanoseconds):
    for unit, factor in (("ns", 1), ("us", 1e3), ("ms", 1e6)):
        if nanoseconds < 1000 * factor or unit == "ms":
            value = nanoseconds / factor
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return ""


def table(rows):
    lines = ["| what | Tenon | Wasmtime's components | ratio |", "|---|---|---|---|"]
    for row in rows:
        if row["name"] not in WHAT:
            continue
        unit = row.get("unit", "ns")
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.3g}"
        lines.append(f"| {WHAT[row['name']]} (`{row['name']}`) | {amount(row['tenon'], unit)} | "
                     f"{amount(row['wasmtime'], unit)} | {ratio} |")
    return "\n".join(lines)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        rows = json.load(file)
    with open(README, encoding="utf-8") as file:
        text = file.read()
    begin = text.index("\n", text.index(BEGIN)) + 1
    end = text.index(END)
    with open(README, "w", encoding="utf-8") as file:
        file.write(text[:begin] + table(rows) + "\n" + text[end:])


main()
