#!/usr/bin/env python3
"""Draws docs/scaling.svg from what `scripts/bench --json FILE scale/` wrote.

    tools/plot_scaling.py FILE [--out docs/scaling.svg]

Plain SVG without a library, readable on light and on dark ground.
"""

import argparse
import json
import math
import pathlib

WIDTH, HEIGHT = 300, 210  # of one panel's plot area
LEFT, TOP, GAP, BOTTOM = 62, 70, 84, 62

STYLE = """
  svg { color-scheme: light dark; --ink: #24292f; --faint: #d0d7de; --ground: #ffffff;
        --c0: #0969da; --c1: #bc4c00; --c2: #1a7f37; --c3: #8250df; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --faint: #3d444d; --ground: #0d1117;
          --c0: #58a6ff; --c1: #f0883e; --c2: #3fb950; --c3: #bc8cff; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; font-size: 14px; }
  .grid { stroke: var(--faint); stroke-width: 1; }
  .ground { fill: var(--ground); }
"""

# Panel: title, unit as (divisor, text), lines as (field, label).
PANELS = [
    (
        "Time",
        [(1e3, "µs"), (1e6, "ms"), (1e9, "s")],
        [
            ("tenon", "link, nothing cached"),
            ("cached", "link, cached"),
            ("flatten-and-fuse", "flatten and fuse"),
            ("instantiate", "instantiate"),
        ],
    ),
    (
        "Memory",
        [(1, "B"), (1e3, "kB"), (1e6, "MB")],
        [("link-memory-bytes", "linked workload"), ("instance-memory-bytes", "one instance of it")],
    ),
    (
        "Adapters' code",
        [(1, "B"), (1e3, "kB"), (1e6, "MB")],
        [("adapter-wasm-bytes", "WebAssembly"), ("adapter-compiled-bytes", "compiled")],
    ),
]


def label(value, units):
    """A number with the largest unit that keeps it at 1 or more."""
    divisor, name = next((u for u in reversed(units) if value >= u[0]), units[0])
    return f"{value / divisor:.3g} {name}"


def ticks(low, high):
    return [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def panel(left, title, units, lines, rows):
    """The SVG of one panel: both axes logarithmic, so that what is linear is a straight line."""
    counts = [int(row["components"]) for row in rows]
    values = [row[field] for field, _ in lines for row in rows if row.get(field, 0) > 0]
    scale = ticks(min(values), max(values))
    bottom, top = math.log10(scale[0]), math.log10(scale[-1])
    first, last = math.log10(counts[0]), math.log10(counts[-1])

    def x(count):
        return left + WIDTH * (math.log10(count) - first) / (last - first)

    def y(value):
        return TOP + HEIGHT * (1 - (math.log10(value) - bottom) / (top - bottom))

    out = [f'<text class="title" x="{left}" y="{TOP - 40}">{title}</text>']
    for value in scale:
        out.append(
            f'<line class="grid" x1="{left}" x2="{left + WIDTH}" y1="{y(value):.1f}"'
            f' y2="{y(value):.1f}"/><text x="{left - 6}" y="{y(value) + 4:.1f}"'
            f' text-anchor="end">{label(value, units)}</text>'
        )
    for count in counts:
        out.append(
            f'<text x="{x(count):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{count}</text>'
        )
    out.append(
        f'<text x="{left + WIDTH / 2}" y="{TOP + HEIGHT + 36}" text-anchor="middle">components</text>'
    )
    for i, (field, name) in enumerate(lines):
        points = [(x(row["components"]), y(row[field])) for row in rows if row.get(field, 0) > 0]
        color = f"var(--c{i})"
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>' for a, b in points]
        column, line = i % 2, i // 2
        place_x, place_y = left + column * 180, TOP - 24 + line * 14
        end = label(rows[-1].get(field, 0), units)
        out.append(
            f'<rect x="{place_x}" y="{place_y - 8}" width="9" height="9" fill="{color}"/>'
            f'<text x="{place_x + 13}" y="{place_y}" style="font-size:10px">{name}: {end}</text>'
        )
    return out


def draw(rows):
    rows = sorted(rows, key=lambda row: row["components"])
    width = LEFT + len(PANELS) * WIDTH + (len(PANELS) - 1) * GAP + 24
    height = TOP + HEIGHT + BOTTOM
    most = int(rows[-1]["components"])
    parts = []
    for i, (title, units, lines) in enumerate(PANELS):
        parts += panel(LEFT + i * (WIDTH + GAP), title, units, lines, rows)
    note = f"Half the components call the other half, eleven functions each; in the legend: with {most}."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
            ' aria-label="Linking and instantiation by the number of components">',
            f"<style>{STYLE}</style>",
            f'<rect class="ground" width="{width}" height="{height}"/>',
            *parts,
            f'<text x="{LEFT}" y="{height - 8}" style="font-size:11px">{note}</text>',
            "</svg>",
            "",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("json", type=pathlib.Path, help="what scripts/bench --json wrote")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/scaling.svg"))
    arguments = parser.parse_args()
    rows = [row for row in json.loads(arguments.json.read_text()) if row["name"].startswith("scale/")]
    if len(rows) < 2:
        parser.error(f"{arguments.json} has fewer than two figures named scale/...")
    arguments.out.write_text(draw(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
