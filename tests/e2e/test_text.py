"""What others wrote, shown to people: names, errors and lines of guests neither steer a terminal nor grow."""

import json
import os
import resource

# A program that traps in a function of this name.
TRAPS = """(component
  (core module $MODULE (func $"NAME" unreachable) (func (export "run") (result i32) (call 0) i32.const 0))
  (core instance $i (instantiate $MODULE))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $r (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $r)))"""

# Each class repeats the one before twelve times: demangled, the name has gigabytes.
EXPANDS = "_Z1fI1aIiiE" + "".join(
    f"1{chr(98 + i)}I" + f"S{'13579BDFHJ'[i]}_" * 12 + "E" for i in range(8)) + "Evv"


def traps(t, name, module="m", file="traps"):
    return t.component(file, TRAPS.replace("NAME", name).replace("$MODULE", '$"' + module + '"'))


def test_a_name_that_would_grow_without_end_stays_as_it_is(t):
    component = traps(t, EXPANDS)
    limit = 4 << 30  # of addresses: demangling it took more before it was stopped
    ended = t("run", "--max-memory", "16M", component, timeout=60,
              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
    ended.refused(134, "unreachable instruction executed")
    assert EXPANDS[:100] in ended.details[0], ended
    assert "bytes more)" in ended.details[0], ended
    assert ended.cpu < 10, ended


def test_only_names_that_are_mangled_are_demangled(t):
    for name, shown in [("f", "f"), ("i", "i"), ("St", "St"), ("_ZN4shop3addEi", "shop::add(int)"),
                        ("_RNvC4shop3add", "shop::add"),
                        ("_ZN4shop3add17h0123456789abcdefE", "shop::add")]:
        ended = t("run", traps(t, name)).refused(134, "unreachable instruction executed")
        assert ended.details[0].startswith(f"  at m!{shown}+0x0 "), ended


def test_names_do_not_steer_a_terminal(t):
    name, module = r"\1b[31m\c2\9b2J\7f\0a\e2\80\aetenon: done", r"\0dm"
    shown = r"\r" + r"m!\u{1b}[31m\u{9b}2J\u{7f}\n\u{202e}tenon: done+0x0 "
    component = traps(t, name, module)
    ended = t("run", component).refused(134, "unreachable instruction executed")
    assert ended.details[0].startswith("  at " + shown), ended
    text, code = t.on_terminal("run", component, env={"NO_COLOR": "1"})
    assert code == 134 and "  at " + shown in text, text
    assert not [c for c in text if c != "\n" and not c.isprintable()], repr(text)


def test_a_long_name_is_cut_with_a_mark(t):
    ended = t("run", traps(t, "n" * 50_000, "m" * 50_000)).refused(134, "unreachable instruction executed")
    assert "m" * 256 + "... (49744 bytes more)!" + "n" * 256 + "... (49744 bytes more)+0x0" in ended.details[0], ended


def test_errors_about_a_component_do_not_steer_a_terminal(t):
    name = b"\x1b[2Jname"
    # An export of a core module, which the component looks for under another name.
    component = t.component("strange", r"""(component
      (core module $m (func (export "\1b[31mrun") (result i32) i32.const 0))
      (core instance $i (instantiate $m))
      (func $run (result (result)) (canon lift (core func $i "\1b[31mrun")))
      (instance $r (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $r)))""").read_bytes()
    bad = t.file("bad.wasm", component.replace(b"\x1b[31mrun", b"\x1b[31mrum", 1))
    for command in ("run", "inspect", "plan"):
        ended = t(command, bad)
        assert ended.code in (0, 125, 126) and b"\x1b" not in ended.raw_err + ended.raw_out, ended
        assert command != "run" or r"\u{1b}[31mrun" in ended.err, ended
    t("run", t.folder / name.decode()).refused(127, r"\u{1b}[2Jname")
    t("run\x1b[2J\nx").refused(125, r"run\u{1b}[2J\nx")
    t("run", os.fsdecode(b"\xff\xfe")).refused(127, r"\xff\xfe")


def test_no_color_and_a_dumb_terminal_mean_no_colour(t):
    for words in (["run", "nothing.wasm"], ["plan", "@http_hello"]):
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            text, _ = t.on_terminal(*words, env=env)
            assert "\x1b" not in text, repr(text)
        for env in ({"NO_COLOR": ""}, {"TERM": "xterm"}, {}):
            text, _ = t.on_terminal(*words, env=env)
            assert "\x1b[" in text, repr(text)


def test_errors_about_many_names_are_short_and_quick(t):
    count = 20_000
    imports = "".join(f'(export "{"n" * 200}-a{i}" (func))' for i in range(count))
    component = t.component("wants", f"""(component (import "a:b/c" (instance $i {imports}))
      {"".join(f'(alias export $i "{"n" * 200}-a{i}" (func $f{i}))(core func $c{i} (canon lower (func $f{i})))' for i in range(count))})""")
    ended = t("run", component, timeout=120).refused(125, f"{count} imports are not provided")
    assert len(ended.details) <= 201 and ended.details[-1] == f"  and {count - 200} more", ended
    assert len(ended.err) < 200_000 and ended.cpu < 30, ended
    functions = "".join(f'(export "{"n" * 200}-a{i}" (func $f))' for i in range(count))
    component = t.component("has", f"""(component (core module $m (func (export "f")))
      (core instance $i (instantiate $m)) (func $f (canon lift (core func $i "f"))) {functions})""")
    ended = t("call", component, "n" * 190, timeout=120).refused(125, "there is no export")
    assert ended.details == [] and ended.cpu < 30, ended


def test_json_on_a_terminal_is_json(t):
    for words in (["inspect", "--json", "@types"], ["plan", "--json", "@hello"], ["cache", "--json"]):
        text, code = t.on_terminal(*words)
        assert code == 0 and json.loads(text) == json.loads(t(*words).succeeded().out), text[:1000]
    component = t.component("says", """(component
      (core module $m (memory (export "memory") 1) (data (i32.const 0) "\\08\\00\\00\\00\\0f\\00\\00\\00")
        (data (i32.const 8) "a\\1b[31m\\c2\\9b\\e2\\80\\aeb\\7f\\0a") (func (export "f") (result i32) i32.const 0))
      (core instance $i (instantiate $m))
      (func $f (result string) (canon lift (core func $i "f") (memory (core memory $i "memory"))))
      (export "f" (func $f)))""")
    said = "a\x1b[31m\x9b\u202eb\x7f\n"
    text, code = t.on_terminal("call", "--json", component, "f")
    assert code == 0 and json.loads(text).startswith(said[:-1]), repr(text)
    assert not [c for c in text if c != "\n" and not c.isprintable()], repr(text)
    text, code = t.on_terminal("call", component, "f")
    assert code == 0 and not [c for c in text if c != "\n" and not c.isprintable()], repr(text)
