"""Values for the echo functions of tests/guests: function -> arguments, as WAVE text.

Each entry is a list of cases; a case is the argument, or (argument, what comes back as text).
"""

POINT = "{x: -1, y: 2147483647}"
MIXED = "{flag: true, small: 255, big: 18446744073709551615, half: -32768, ratio: 0.5, letter: 'ß', name: \"n\"}"
BIG = ("{a: 1, b: 2, c: 3, d: 4, e: -5, f: -6, g: -7, h: -8, i: 9.5, j: 10.25, k: true, l: '😀', m: \"m\", "
       "n: [1, 2, 3], o: {x: 1, y: 2}, p: some(5), q: (6, 7), r: \"\", s: 8, t: 9}")
FLAGS32 = "{" + ", ".join(f"b{i}" for i in range(32)) + "}"

ECHO = {
    "echo-bool": ["true", "false"],
    "echo-s8": ["-128", "0", "127"],
    "echo-u8": ["0", "255"],
    "echo-s16": ["-32768", "32767"],
    "echo-u16": ["0", "65535"],
    "echo-s32": ["-2147483648", "2147483647"],
    "echo-u32": ["0", "4294967295"],
    "echo-s64": ["-9223372036854775808", "9223372036854775807"],
    "echo-u64": ["0", "18446744073709551615"],
    "echo-f32": ["0.5", "-0", "nan", "inf", "-inf", ("3.4028235e38", "3.4028235e+38"), "1e-45", "0.1"],
    "echo-f64": ["0.5", "-0", "nan", "inf", "-inf", "0.1", "5e-324", ("1e2", "100")],
    "echo-char": ["'a'", "'ß'", "'😀'", "'\\n'", "'\\''", "'\\u{10ffff}'", "'\\u{0}'"],
    "echo-string": ['""', '"plain"', '"ä€😀"', '"a\\nb\\t\\"\\\\"', '"\\u{0}"', '"' + "x" * 20000 + '"'],
    "echo-bytes": ["[]", "[0, 127, 255]", "[" + ", ".join(str(i % 256) for i in range(5000)) + "]"],
    "echo-bools": ["[]", "[true, false, true]"],
    "echo-chars": ["['a', '😀']"],
    "echo-u32s": ["[]", "[1, 4294967295]"],
    "echo-u64s": ["[18446744073709551615, 0]"],
    "echo-f64s": ["[-0, nan, inf, -inf, 1.5]"],
    "echo-strings": ["[]", '["", "a", "😀"]'],
    "echo-points": ["[]", f"[{POINT}, {{x: 0, y: 0}}]"],
    "echo-mixeds": [f"[{MIXED}, {MIXED}]"],
    "echo-wides": ['[nothing, small(255), big(18446744073709551615), ratio(-0), double(nan), text("t"), '
                   "dot({x: 1, y: 2}), pair((0.5, 0.25)), many([{x: 3, y: 4}])]"],
    "echo-lists": ["[]", "[[], [1], [2, 65535]]"],
    "echo-tuples": ['[(1, 2, "three"), (255, 18446744073709551615, "")]'],
    "echo-point": [POINT, ("{y: 2, x: 1}", "{x: 1, y: 2}")],
    "echo-mixed": [MIXED],
    "echo-line": ["{start: {x: 1, y: 2}, end: {x: 3, y: 4}, label: some(\"l\")}",
                  ("{start: {x: 1, y: 2}, end: {x: 3, y: 4}, label: none}", "{start: {x: 1, y: 2}, end: {x: 3, y: 4}}"),
                  "{start: {x: 1, y: 2}, end: {x: 3, y: 4}}"],
    "echo-big": [BIG],
    "echo-tuple": ['(1, "two", 3.5)'],
    "echo-tuple1": ["(7)"],
    "echo-narrow": ["nothing", "bits(4294967295)", "ratio(0.5)", "letter('x')"],
    "echo-wide": ["nothing", "small(1)", "big(2)", "ratio(-inf)", "double(4.5)", 'text("")', f"dot({POINT})",
                  "pair((1, 2))", "many([])"],
    "echo-color": ["red", "green", "blue"],
    "echo-option": ["none", "some(0)", ("5", "some(5)")],
    "echo-option-string": ["none", 'some("")', 'some("none")'],
    "echo-option-option": ["none", "some(none)", "some(some(3))"],
    "echo-result": ["ok(1)", 'err("no")'],
    "echo-result-ok": ["ok(1)", "err"],
    "echo-result-err": ["ok", 'err("no")'],
    "echo-result-none": ["ok", "err"],
    "echo-result-point": [f"ok({POINT})", "err(blue)"],
    "echo-flags3": ["{}", "{read}", "{read, write, execute}", ("{execute, read}", "{read, execute}")],
    "echo-flags9": ["{}", "{b8}", "{b0, b8}"],
    "echo-flags32": ["{}", "{b31}", FLAGS32],
}

PERSON = '{name: "Ada", age: 36, tags: ["x", ""]}'

# What JavaScript and Python have too. Left out: u32 from 2^31 and negative s64, which componentize-js 0.23.0
# gets wrong, and NaN's payloads.
BASIC = {
    "echo-bool": ["true", "false"],
    "echo-u32": ["0", "2147483647"],
    "echo-s64": ["0", "9223372036854775807"],
    "echo-f64": ["0.5", "-0", "nan", "inf", "-inf", "0.1"],
    "echo-char": ["'a'", "'😀'"],
    "echo-string": ['""', '"ä€😀"', '"\\u{0}"'],
    "echo-bytes": ["[]", "[0, 255]", "[" + ", ".join(str(i % 256) for i in range(3000)) + "]"],
    "echo-strings": ["[]", '["", "a", "😀"]'],
    "echo-person": [PERSON],
    "echo-people": ["[]", f"[{PERSON}, {PERSON}]"],
    "echo-tuple": ['(1, "two")'],
    "echo-shape": ["empty", "circle(0.5)", 'label("l")'],
    "echo-color": ["red", "green", "blue"],
    "echo-option": ["none", 'some("")', 'some("x")'],
    "echo-result": ["ok(1)", 'err("no")'],
}


def calls(table, interface, functions=None):
    """[(words of a call, the line that it prints)]"""
    result = []
    for function, cases in table.items():
        if functions is not None and function not in functions:
            continue
        for case in cases:
            argument, back = case if isinstance(case, tuple) else (case, case)
            result.append(([f"{interface}.{function}", argument], back))
    return result
