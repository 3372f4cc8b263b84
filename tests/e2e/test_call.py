"""`tenon call`: values in WAVE through real components."""

import json

import values
from harness import both_links, lock


def command(calls):
    """[(words, line)] as words, with `--` between the calls."""
    words = []
    for index, (call, _) in enumerate(calls):
        words += (["--"] if index else []) + call
    return words


def echo_all(t, guest, calls, *options):
    for begin in range(0, len(calls), 40):
        part = calls[begin:begin + 40]
        ended = t("call", *options, guest, *command(part)).succeeded()
        lines = ended.out.split("\n")
        assert lines.pop() == "" and len(lines) == len(part), str(ended)
        for (words, expected), line in zip(part, lines):
            assert line == expected, f"{guest} {' '.join(words)[:300]}\n  gave {line[:300]}\n  not {expected[:300]}"


# -- Values


@both_links
def test_every_value_comes_back_from_rust(t):
    echo_all(t, "@types", values.calls(values.ECHO, "tenon:types/echo@1.0.0"))


@both_links
def test_every_value_comes_back_through_nested_components(t):
    echo_all(t, "@nested", values.calls(values.ECHO, "echo"))


def test_every_value_comes_back_from_rust_with_its_standard_library(t):
    echo_all(t, "@types_std", values.calls(values.ECHO, "echo"))


@both_links
def test_basic_values_come_back_from_rust(t):
    echo_all(t, "@types", values.calls(values.BASIC, "tenon:types/basic"))


@both_links
@lock("scripted")
def test_basic_values_come_back_from_javascript(t):
    echo_all(t, "@js_types", values.calls(values.BASIC, "basic"))
    t("call", "@js_types", "greet", '"you"').succeeded('"Hello, you!"\n')


@both_links
@lock("scripted")
def test_basic_values_come_back_from_python(t):
    echo_all(t, "@py_types", values.calls(values.BASIC, "tenon:types/basic@1.0.0"))
    t("call", "@py_types", "greet", '"you"').succeeded('"Hello, you!"\n')


@both_links
@lock("scripted")
def test_a_python_program_runs(t):
    t("run", "@py_hello", "a", "b c").succeeded("Hello from Python\na\nb c\n")
    t("run", "@py_hello", "exit", "1").exited(1)


def test_the_smallest_subnormal_and_the_largest_finite_float_survive(t):
    out = t("call", "@types", "echo.echo-f64", "1.7976931348623157e308", "--", "echo.echo-f64", "2.2250738585072014e-308",
            "--", "echo.echo-f32", "1.1754944e-38").succeeded().out.split()
    assert [float(text) for text in out] == [1.7976931348623157e308, 2.2250738585072014e-308, 1.1754944e-38], out


@both_links
def test_sixteen_and_seventeen_parameters_arrive_in_order(t):
    numbers = [str(i) for i in range(1, 18)]
    t("call", "@types", "echo-16", *numbers[:16]).succeeded("[" + ", ".join(numbers[:16]) + "]\n")
    t("call", "@types", "echo-17", *numbers).succeeded("[" + ", ".join(numbers) + "]\n")
    t("call", "@nested", "echo-17", *numbers).succeeded("[" + ", ".join(numbers) + "]\n")


def test_a_function_without_a_result_prints_nothing(t):
    t("call", "@types", "nop").succeeded("")


def test_a_long_string_arrives_whole(t):
    text = '"' + "0123456789" * 10_000 + '"'
    t("call", "@types", "echo.echo-string", text).succeeded(text + "\n")


# -- Names


def test_functions_at_the_root_need_no_interface(t):
    t("call", "@types", "add", "2", "3").succeeded("5\n")
    t("call", "@types", "greet", '"you"').succeeded('"Hello, you!"\n')


def test_a_name_may_be_as_short_as_it_is_unique(t):
    for name in ("tenon:types/echo@1.0.0.echo-u8", "tenon:types/echo.echo-u8", "echo.echo-u8", "echo-u8"):
        t("call", "@types", name, "7").succeeded("7\n")


def test_an_ambiguous_name_lists_what_it_could_be(t):
    ended = t("call", "@types", "echo-string", '"x"').refused(125, "types.wasm", "'echo-string'", "2 times")
    assert [line.split(":")[0:2] for line in ended.details] == [["  tenon", "types/echo@1.0.0.echo-string"],
                                                               ["  tenon", "types/basic@1.0.0.echo-string"]]


def test_methods_go_by_their_plain_names(t):
    for constructor in ("counter", "[constructor]counter", "echo.counter", "tenon:types/echo@1.0.0.[constructor]counter"):
        t("call", "@types", constructor, "5", "--", "counter.value", "#counter-1").succeeded("#counter-1\n5\n")


# -- Resources


@both_links
def test_handles_are_passed_on_within_one_command(t):
    for guest in ("@types", "@nested"):
        t("call", guest, "counter", "3", "--", "counter.increment", "#counter-1", "4", "--", "peek", "#counter-1", "--",
          "echo-counter", "#counter-1", "--", "counter.value", "#counter-2").succeeded(
              "#counter-1\n7\n7\n#counter-2\n7\n")


@both_links
def test_handles_in_lists_are_passed_on(t):
    for guest in ("@types", "@nested"):
        t("call", guest, "counters", "3", "--", "sum", "[#counter-1, #counter-2, #counter-3]", "--", "counter.merge",
          "#counter-2", "#counter-3", "--", "counter.value", "#counter-4", "--", "live").succeeded(
              "[#counter-1, #counter-2, #counter-3]\n3\n#counter-4\n3\n2\n")


def test_a_handle_that_was_given_away_is_refused(t):
    t("call", "@types", "counter", "1", "--", "echo-counter", "#counter-1", "--", "peek", "#counter-1").refused(
        125, "given away", out="#counter-1\n#counter-2\n")


def test_a_handle_that_nothing_returned_is_refused(t):
    t("call", "@types", "peek", "#counter-1").refused(125, "#counter-1")
    t("call", "@types", "counter", "1", "--", "peek", "#counter-9").refused(125, "#counter-9", out="#counter-1\n")


def test_results_with_resources_keep_them_alive(t):
    t("call", "@types", "counters", "2", "--", "live").succeeded("[#counter-1, #counter-2]\n2\n")


# -- Failures


@both_links
def test_a_trap_ends_the_command(t):
    ended = t("call", "@types", "add", "1", "2", "--", "trap", "--", "add", "3", "4")
    ended.refused(134, "types.wasm trapped: unreachable instruction executed", out="3\n")
    assert any("trap" in line for line in ended.details), str(ended)
    t("call", "@types", "load", "4294967295").refused(134, "out of bounds memory access")


@both_links
def test_endless_recursion_is_a_trap(t):
    ended = t("call", "@types", "recurse").refused(134, "call stack exhausted", "--max-stack")
    assert len(ended.details) < 20, str(ended)


@both_links
def test_a_timeout_stops_a_function(t):
    t("call", "--timeout", "300ms", "@types", "spin").refused(124, "types.wasm", "300ms", "--timeout")


@both_links
def test_max_memory_limits_a_function(t):
    got = int(t("call", "--max-memory", "8M", "@types", "allocate", "100").succeeded().out)
    assert 4 <= got < 8, got


def test_output_to_a_full_device_is_an_error(t):
    with open("/dev/full", "wb") as full:
        ended = t("call", "@types", "add", "1", "2", stdout=full)
    ended.refused(125, "standard output")


def test_separators_in_front_are_skipped(t):
    t("call", "@types", "--", "add", "1", "2").succeeded("3\n")
    t("call", "@types", "--", "add", "1", "2", "--", "add", "3", "4").succeeded("3\n7\n")
    t("call", "@types", "--").refused(125, "which function?")


# -- Bad values: refused before anything runs


def refuses(t, words, *parts, guest="@types"):
    t("call", guest, "add", "1", "2", "--", *words).refused(125, *parts)


def test_a_value_of_another_type_is_shown_beside_the_type(t):
    refuses(t, ["add", "1", '"x"'], "'\"x\"'", "b: u32", "add", "string")
    refuses(t, ["echo-u8", "256"], "'256'", "u8", "from 0 to 255")
    refuses(t, ["echo-s8", "-129"], "'-129'", "s8", "from -128 to 127")
    refuses(t, ["echo.echo-bool", "1"], "'1'", "bool")
    refuses(t, ["echo-point", "{x: 1, z: 2}"], "{x: 1, z: 2}", "record { x: s32, y: s32 }", "z", "no field")
    refuses(t, ["echo-point", "{x: 1}"], "record { x: s32, y: s32 }", "y")
    refuses(t, ["echo.echo-color", "purple"], "'purple'", "enum { red, green, blue }")
    refuses(t, ["echo-flags3", "{read, fly}"], "fly", "flags { read, write, execute }")
    refuses(t, ["echo-narrow", "bits"], "'bits'", "u32")
    refuses(t, ["echo.echo-tuple", '(1, "a")'], "tuple<u8, string, f64>")
    refuses(t, ["echo.echo-char", "'ab'"], "char")
    refuses(t, ["echo.echo-char", "'\\u{d800}'"], "char")
    refuses(t, ["echo-u32s", "[1, -1]"], "list<u32>", "-1")
    refuses(t, ["echo-f32", "fast"], "'fast'", "f32")
    refuses(t, ["echo-f32", "1e400"], "'1e400'", "f32", "out of range")


def test_text_that_is_no_value_is_refused(t):
    for text in ("", "{", "[1", '"open', "(((((", "{x: 1", "1 2", "\x1b[31m", "[" * 5000, "#"):
        refuses(t, ["echo-point", text], "record { x: s32, y: s32 }")


def test_quotes_that_are_missing_are_asked_for(t):
    refuses(t, ["greet", "Ada"], "not a name: Ada", "; strings are in quotes: '\"Ada\"'")
    refuses(t, ["greet", 'it"s'], "; strings are in quotes: '\"...\"'")
    refuses(t, ["basic.echo-char", "x"], "; chars are in quotes: \"'x'\"")
    t("call", "@types", "greet", '"').refused(125, "does not fit")
    assert "in quotes" not in t("call", "@types", "greet", '"').err
    assert "in quotes" not in t("call", "@types", "add", "one", "2").exited(125).err


def test_a_long_value_is_shown_in_part(t):
    ended = t("call", "@types", "echo-u32s", "[" + "1, " * 20000 + "x]").refused(125, "...")
    assert len(ended.message) < 1000, ended.message


def test_the_number_of_values_must_match(t):
    refuses(t, ["add", "1"], "add takes 2 values, not 1", "func(a: u32, b: u32) -> u32")
    refuses(t, ["add", "1", "2", "3"], "takes 2 values, not 3")
    refuses(t, ["nop", "1"], "takes 0 values, not 1")
    refuses(t, ["greet"], "takes 1 value, not 0")


# -- JSON, and values from elsewhere


def json_call(t, function, text, expected=None, guest="@types"):
    """Calls an echo; what comes back is what was sent, or `expected`."""
    ended = t("call", "--json", guest, function, text).succeeded()
    assert json.loads(ended.out) == json.loads(expected or text) and ended.out.count("\n") == 1, ended
    return ended


def test_values_go_in_and_out_as_json(t):
    for function, values in {
            "echo.echo-bool": ["true", "false"],
            "echo-u8": ["0", "255"], "echo-s8": ["-128"], "echo-u64": ["18446744073709551615"],
            "echo.echo-s64": ["-9223372036854775808"],
            "echo-f32": ["0.5", "-2.25", '"nan"', '"inf"', '"-inf"'], "echo.echo-f64": ["1e300", "3"],
            "echo.echo-char": ['"x"', '"\\u00e4"', '"\U0001f980"'],
            "basic.echo-string": ['""', '"a \\"quoted\\" \\n line, \U0001f980"'],
            "echo-u32s": ["[]", "[1, 2, 3]"],
            "echo.echo-tuple": ['[1, "a", 0.5]'],
            "echo-point": ['{"x": 1, "y": -2}'],
            "echo.echo-color": ['"red"'],
            "echo-flags3": ["[]", '["read", "execute"]'],
            "echo-shape": ['{"circle": 0.5}', '"empty"', '{"label": "l"}'],
            "echo.echo-option": ["null", "7"], "echo-option-string": ["null", '"null"'],
            "echo-option-option": ["null", '{"some": null}', '{"some": 5}'],
            "echo.echo-result": ['{"ok": 1}', '{"err": "no"}'], "echo-result-none": ['{"ok": null}', '{"err": null}'],
            "echo-lists": ["[[1, 2], [], [3]]"],
    }.items():
        for value in values:
            json_call(t, function, value)
    json_call(t, "echo-shape", '{"empty": null}', '"empty"')
    line = '{"start": {"x": 1, "y": 2}, "end": {"x": 3, "y": 4}'
    json_call(t, "echo-line", line + "}", line + ', "label": null}')
    json_call(t, "echo-line", line + ', "label": "l"}')
    json_call(t, "echo-flags3", '["execute", "read"]', '["read", "execute"]')
    assert t("call", "--json", "@types", "echo-f32", "0.1").succeeded().out == "0.1\n"
    t("call", "--json", "@types", "counter", "3", "--", "counter.increment", '"#counter-1"', "4").succeeded('"#counter-1"\n7\n')


def test_json_that_does_not_fit_is_refused_with_its_place(t):
    def refused(words, *parts):
        t("call", "--json", "@types", "add", "1", "2", "--", *words).refused(125, *parts)

    refused(["echo-u8", "256"], "expected a whole number from 0 to 255, found 256")
    refused(["echo-u8", "1.5"], "expected a whole number")
    refused(["echo-u8", "-1"], "expected a whole number")
    refused(["echo-point", '{"x": 1}'], "the field 'y' is missing")
    refused(["echo-point", '{"x": 1, "y": "a"}'], 'at .y: expected a whole number', 'found "a"')
    refused(["echo-point", '{"x": 1, "y": 2, "z": 3}'], "there is no field 'z'")
    refused(["echo-u32s", "[1, -1]"], "at [1]: expected")
    refused(["echo.echo-color", '"purple"'], 'expected one of "red", "green", "blue"')
    refused(["echo-shape", '"circle"'], "with a case out of")
    refused(["echo-shape", '{"square": 1}'], "with a case out of")
    refused(["echo.echo-char", '"ab"'], "a string of one character")
    refused(["basic.echo-string", "plain"], "no JSON: parse error at line 1, column 1")
    refused(["basic.echo-string", '"\\ud800"'], "no JSON")
    refused(["echo-u32s", "[" * 100_000], "no value nests so deep")
    refused(["echo-u32s", "\x1b[31m"], "no JSON")
    t("call", "--json", "@types", "counter.value", '"#counter-1"').refused(125, "expected a handle")
    refused(["add", "1"], "takes 2 values, not 1")


def test_values_come_from_files_and_standard_input(t):
    t.file("name.wave", '"Ada"\n')
    t.file("point.json", '{\n  "x": 1,\n  "y": 2\n}\n')
    t("call", "@types", "greet", "@name.wave").succeeded('"Hello, Ada!"\n')
    t("call", "@types", "greet", "-", input='"Ada"\n').succeeded('"Hello, Ada!"\n')
    t("call", "@types", "add", "-", "2", input="40").succeeded("42\n")
    ended = t("call", "--json", "@types", "echo-point", "@point.json").succeeded()
    assert json.loads(ended.out) == {"x": 1, "y": 2}, ended
    large = "[" + ", ".join(str(i) for i in range(200_000)) + "]"
    ended = t("call", "--json", "@types", "echo-u32s", "-", input=large).succeeded()
    assert json.loads(ended.out) == list(range(200_000)), ended.out[:100]
    t("call", "@types", "greet", "@./nowhere").refused(125, "the value @./nowhere: No such file")
    t("call", "@types", "greet", "@.").refused(125, "the value @.: Is a directory")
    t("call", "@types", "add", "-", "-", input="1").refused(125, "'-', standard input, can be one value only")
    t("call", "@types", "greet", "@name.wave", "--", "greet", "@name.wave").succeeded('"Hello, Ada!"\n' * 2)
    # A file without end is not read to its end.
    t("call", "@types", "greet", "@/dev/zero").refused(125, "the value @/dev/zero: larger than 256 MiB")
