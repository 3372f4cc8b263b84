#!/usr/bin/env python3
"""Measures this build beside another one, for changes that must cost nothing: both run the same figures in turn, and
each has its best round.

  bench/against.py OTHER-BUILD [--build DIR] [--rounds N] [--library NAME...] [--command NAME...] [--json FILE]

OTHER-BUILD is a build folder with its own tenon_bench and tenon. Printed is this build's number by the other's, and
`slower` where that is over 1.03 (of what is more is better: under 0.97). Names are beginnings of figures; without any,
all are measured.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MORE_IS_BETTER = ("requests/s", "MiB/s", "files/s")
BOUND = 0.03


def library(build, names):
    return [build / "bench/tenon_bench", *names]


def command(build, names):
    # No command beside us: both sides are ours. One round each time, as the rounds are ours too.
    load = build / "bench/tenon_http_load"
    return [ROOT / "bench/serve.py", "--tenon", build / "tenon", "--load", load, "--no-peers", "--rounds", "1", *names]


def measure(words):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        done = subprocess.run([*map(str, words), "--json", file.name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{words[0]} failed: {done.stderr}")
        return json.loads(pathlib.Path(file.name).read_text())


def better(row, best):
    return row["tenon"] > best["tenon"] if row["unit"] in MORE_IS_BETTER else row["tenon"] < best["tenon"]


def race(builds, make, names, rounds):
    """The best row of each figure, for each build."""
    best = {side: {} for side in builds}
    for round_ in range(rounds):
        order = list(builds.items())
        for side, build in order if round_ % 2 == 0 else reversed(order):
            for row in measure(make(build, names)):
                known = best[side].get(row["name"])
                if known is None or better(row, known):
                    best[side][row["name"]] = row
    return best


def compare(best):
    rows = []
    for name, mine in best["this"].items():
        other = best["other"].get(name)
        ratio = mine["tenon"] / other["tenon"] if other and other["tenon"] else None
        gain = ratio and (1 / ratio if mine["unit"] in MORE_IS_BETTER else ratio)
        rows.append({"name": name, "unit": mine["unit"], "this": mine["tenon"], "other": other and other["tenon"],
                     "ratio": ratio, "slower": bool(gain and gain > 1 + BOUND)})
    return rows


def show(rows):
    print(f"{'figure':<30} {'this':>14} {'other':>14} {'ratio':>8}  unit")
    for row in rows:
        other = "-" if row["other"] is None else f"{row['other']:.1f}"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.3f}"
        print(f"{row['name']:<30} {row['this']:>14.1f} {other:>14} {ratio:>8}  {row['unit']}{'  slower' * row['slower']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--library", nargs="*", metavar="NAME")
    parser.add_argument("--command", nargs="*", metavar="NAME")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    builds = {"this": options.build.resolve(), "other": options.other.resolve()}
    for build in builds.values():
        if not os.access(build / "bench/tenon_bench", os.X_OK):
            parser.error(f"there is no {build / 'bench/tenon_bench'}: build it there first (scripts/bench does)")
    everything = options.library is None and options.command is None
    rows = []
    for make, names in ((library, options.library), (command, options.command)):
        if everything or names is not None:
            rows += compare(race(builds, make, names or [], options.rounds))
    show(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
