#!/usr/bin/env python3
"""Checks Tenon's JSON of components against its WIT text: the same imports, exports, interfaces,
types and functions. The text itself is compared with another tool's by compare_wit.py."""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import compare_wit


def read(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, check=False)
    return done.stdout.decode() if done.returncode == 0 else None


def plain(text):
    """Without the `%` of names that are keywords."""
    return text.replace("%", "")


def declarations(holder):
    """The lines of text that an interface's or a world's members must have."""
    for item in holder.get("types", []) + holder.get("imports", []) + holder.get("exports", []):
        if item.get("kind") in ("record", "variant", "enum", "flags"):
            yield f"{item['kind']} {item['name']} {{"
            for key in ("fields", "cases", "flags"):
                for member in item.get(key, []):
                    yield member["name"]
        elif item.get("kind") == "alias":
            yield f"type {item['name']} = {item['type']};"
        elif item.get("kind") == "resource":
            yield f"resource {item['name']}"
        elif item.get("kind") == "use":
            yield item["name"]
        elif item.get("item") == "interface" and "functions" in item:
            yield from declarations(item)
        elif item.get("item") == "interface" and "implements" not in item:
            yield item["name"].split("/")[1].split("@")[0]
    for function in holder.get("functions", []) + [
            item for item in holder.get("imports", []) + holder.get("exports", [])
            if item["item"] == "function"]:
        static = "static " if function["kind"] == "static" else ""
        label = function.get("label", function["name"].split("]")[-1])
        if function["kind"] == "constructor":
            yield function["wit"] + ";"
        else:
            yield f"{label}: {static}{function['wit']};"


def count(holder):
    total = len(holder.get("functions", []))
    for item in holder.get("imports", []) + holder.get("exports", []):
        total += 1 if item["item"] == "function" else count(item)
    return total


def check(text, data):
    """The first thing that is missing, or None."""
    shown = len(re.findall(r"^ *constructor\(|: (?:static )?(?:async )?(?:func|get|set)\(", text,
                           re.MULTILINE))
    text = plain(text)
    worlds = [data["world"]] if data["world"] else []
    holders = []
    for package in data["packages"]:
        if f"package {package['name']}" not in text:
            return package["name"]
        holders += package["interfaces"]
        worlds += package.get("worlds", [])
    functions = sum(count(holder) for holder in holders + worlds)
    for interface in holders:
        if f"interface {interface['name']} {{" not in text:
            return interface["name"]
    for holder in holders + worlds:
        for line in declarations(holder):
            if plain(line) not in text:
                return line
    return None if shown == functions else f"{functions} functions, the text has {shown}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print-wit", required=True)
    parser.add_argument("--guests")
    parser.add_argument("--cases")
    args = parser.parse_args()
    wasm_tools = compare_wit.find_wasm_tools()
    if wasm_tools is None:
        print("wasm-tools 1.263.0 is not there")
        return 77
    good = bad = 0
    with tempfile.TemporaryDirectory() as work:
        for folder in (args.guests, args.cases):
            if not folder or not pathlib.Path(folder).is_dir():
                continue
            for source, path in compare_wit.binaries(wasm_tools, folder, work):
                text = read(args.print_wit, path)
                if text is None:
                    continue
                missing = check(text, json.loads(read(args.print_wit, "--json", path)))
                good += missing is None
                bad += missing is not None
                if missing is not None:
                    print(f"{source}: the text lacks: {missing}")
    print(f"{good} agree, {bad} do not")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(main())
