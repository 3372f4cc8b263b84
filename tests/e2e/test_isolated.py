"""Isolated links through the command: `call` and `run` with a callee in a store of its own, and all that can fail there."""

API = "t:t/api"
TRAPPED, TIMED_OUT, REFUSED = 134, 124, 125

MEMORY = """
  (core module $Mem (memory (export "memory") 1) (global $heap (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))
  (core instance $mem (instantiate $Mem))
  (alias core export $mem "memory" (core memory $memory))
  (alias core export $mem "realloc" (core func $realloc))"""
REALLOC = """(local $at i32)
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
      (global.set $heap (i32.add (local.get $at) (local.get 3))) (local.get $at)"""

# Name, type, core parameters, and the core function's body in the callee. "s": returns a string.
FUNCTIONS = {
    "next": ("(result u32)", 0, "i32", "(global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)"),
    "echo": ('(param "s" string) (result string)', 2, "s",
             "(i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1)) (i32.const 16)"),
    "boom": ("", 0, "", "unreachable"),
    "spin": ("", 0, "", "(loop $l (br $l))"),
    "grow": ('(param "pages" u32) (result u32)', 1, "i32", "(memory.grow (local.get 0))"),
    "lie": ("(result string)", 0, "s",
            "(i32.store (i32.const 16) (i32.const 0x7fffff00)) (i32.store (i32.const 20) (i32.const 64)) (i32.const 16)"),
    "deep": ("", 0, "", "(call $deep)"),
}


def params(count):
    return " (param i32)" * count


def lift(name):
    return (f'  (func ${name}_ {FUNCTIONS[name][0]} (canon lift (core func $main "{name}") (memory $memory)'
            " (realloc (core func $realloc))))\n")


def exports(interface):
    inside = "".join(f' (export "{name}" (func ${name}_))' for name in FUNCTIONS)
    return f'  (instance $made{inside})\n  (export "{interface}" (instance $made))'


def callee(realloc=REALLOC, start=""):
    text = "(component" + MEMORY.format(realloc=realloc)
    text += '\n  (core module $Main (import "mem" "memory" (memory 1)) (global $n (mut i32) (i32.const 0))' + start
    for name, (_, count, result, body) in FUNCTIONS.items():
        text += f'\n    (func ${name} (export "{name}"){params(count)}{" (result i32)" if result else ""} {body})'
    text += ')\n  (core instance $main (instantiate $Main (with "mem" (instance $mem))))\n'
    return text + "".join(lift(name) for name in FUNCTIONS) + exports(API) + ")"


def forwarder(interface, more=""):
    """Imports API and exports it under another name; every call is passed on. `more`: of the component."""
    types = "".join(f' (export "{name}" (func {of[0]}))' for name, of in FUNCTIONS.items())
    text = f'(component (import "{API}" (instance $api{types}))' + MEMORY.format(realloc=REALLOC) + "\n"
    imports = functions = given = ""
    for name, (_, count, result, _) in FUNCTIONS.items():
        text += f'  (core func ${name}\' (canon lower (func $api "{name}") (memory $memory) (realloc (core func $realloc))))\n'
        spills = result == "s"
        imports += f'\n    (import "api" "{name}" (func ${name}{params(count + spills)}{" (result i32)" if result == "i32" else ""}))'
        given += f' (export "{name}" (func ${name}\'))'
        arguments = "".join(f" (local.get {i})" for i in range(count))
        body = f"(call ${name}{arguments} (i32.const 16)) (i32.const 16)" if spills else f"(call ${name}{arguments})"
        functions += f'\n    (func (export "{name}"){params(count)}{" (result i32)" if result else ""} {body})'
    text += f'  (core module $Main{imports}{functions}{more})\n'
    text += f'  (core instance $main (instantiate $Main (with "api" (instance{given}))))\n'
    return text + "".join(lift(name) for name in FUNCTIONS) + exports(interface) + ")"


def pair(t, link, back=None):
    t.component("back", back or callee())
    t.component("front", forwarder("t:t/front"))
    t.file("tenon.toml", f"""
name = "pair"
[components.front]
source = "front.wasm"
links = {{ "{API}" = {{ to = "back", {link} }} }}
[components.back]
source = "back.wasm"
""")


ISOLATED = 'via = "isolated"'
FAILED = "tenon: . trapped: {api}.{name}: the isolated link from front to back failed: {cause}"


def failed(name, cause):
    return FAILED.format(api=API, name=name, cause=cause)


def calls(*all):
    words = []
    for each in all:
        words += ["--"] * bool(words) + ["front", *each]
    return words


def test_fresh_instances_have_one_call_and_reused_ones_many(t):
    three = calls(["next"], ["next"], ["next"])
    for policy, printed in (('"fresh"', "1\n1\n1\n"), ('"reused"', "1\n2\n3\n"),
                            ('{ policy = "reused", max-calls = 2 }', "1\n2\n1\n"),
                            ('{ policy = "pooled", max = 2 }', "1\n2\n3\n")):
        pair(t, f"{ISOLATED}, instances = {policy}")
        t("call", ".", *three).succeeded(printed)


def test_strings_cross_both_ways(t):
    pair(t, ISOLATED)
    for text in ("", "plain", "ä€😀", "x" * 20_000):
        t("call", ".", "front", "echo", f'"{text}"').succeeded(f'"{text}"\n')


def test_a_trap_names_link_callee_and_cause(t):
    pair(t, ISOLATED)
    ended = t("call", ".", "front", "boom").exited(TRAPPED)
    assert ended.err.startswith(failed("boom", "the callee trapped: unreachable instruction executed")), ended.err
    ended = t("call", ".", "front", "lie").exited(TRAPPED)
    assert ended.err.startswith(failed("lie", "the callee trapped: a string is out of bounds of the memory")), ended.err
    ended = t("call", ".", "front", "deep").exited(TRAPPED)
    assert ended.err.startswith(failed("deep", "the callee trapped: ")) and "stack" in ended.err, ended.err


def test_a_realloc_that_lies_is_the_callees_fault(t):
    for realloc in ("(i32.const 0x7ffffff0)", "(i32.const -16)", "unreachable", "(loop $l (br $l)) (i32.const 0)"):
        pair(t, f'{ISOLATED}, timeout = "200ms"', callee(realloc=realloc))
        ended = t("call", ".", "front", "echo", '"text"').exited(TRAPPED)
        assert f"{API}.echo: the isolated link from front to back failed: " in ended.err, ended.err


def test_a_callee_that_spins_is_stopped(t):
    pair(t, f'{ISOLATED}, timeout = "50ms"')
    ended = t("call", ".", "front", "spin").exited(TRAPPED)
    assert ended.err.startswith(failed("spin", "DEADLINE: the callee was not done after 50 ms")), ended.err


def test_a_callers_time_is_its_callees(t):
    pair(t, f'{ISOLATED}, timeout = "1h"')
    ended = t("call", "--timeout", "100ms", ".", "front", "spin")
    assert ended.code != 0 and "was not done after 100ms and was stopped" in ended.err, str(ended)


def test_a_callee_grows_to_its_own_limit(t):
    pair(t, f'{ISOLATED}, max-memory = "1M"')
    t("call", ".", *calls(["grow", "100"], ["grow", "2"])).succeeded("4294967295\n1\n")


def test_a_start_function_that_traps_or_spins_fails_the_call(t):
    pair(t, ISOLATED, callee(start="\n    (func $s unreachable) (start $s)"))
    ended = t("call", ".", "front", "next").exited(TRAPPED)
    assert ended.err.startswith(failed("next", "the callee trapped: unreachable")), ended.err
    pair(t, f'{ISOLATED}, timeout = "50ms"', callee(start="\n    (func $s (loop $l (br $l))) (start $s)"))
    ended = t("call", ".", "front", "next").exited(TRAPPED)
    assert ended.err.startswith(failed("next", "DEADLINE: ")), ended.err


def test_a_component_that_only_isolated_links_lead_to_is_not_called(t):
    pair(t, ISOLATED)
    ended = t("call", ".", "back", "next").exited(REFUSED)
    assert "component 'back' stands behind isolated links only" in ended.err, ended.err


EXITS = """(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core func $exit' (canon lower (func $exit "exit")))
  (core module $Main (import "" "exit" (func $exit (param i32))) (func (export "go") (call $exit (i32.const 1))))
  (core instance $main (instantiate $Main (with "" (instance (export "exit" (func $exit'))))))
  (func $go (canon lift (core func $main "go")))
  (instance $made (export "go" (func $go)))
  (export "t:t/go" (instance $made)))"""
PROGRAM = """(component
  (import "t:t/go" (instance $api (export "go" (func))))
  (core func $go' (canon lower (func $api "go")))
  (core module $Main (import "" "go" (func $go)) (func (export "run") (result i32) (call $go) (i32.const 0)))
  (core instance $main (instantiate $Main (with "" (instance (export "go" (func $go'))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $made (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $made)))"""
QUIET = """(component
  (core module $Main (func (export "go")))
  (core instance $main (instantiate $Main))
  (func $go (canon lift (core func $main "go")))
  (instance $made (export "go" (func $go)))
  (export "t:t/go" (instance $made)))"""


def program(t, callee_text):
    t.component("program", PROGRAM)
    t.component("callee", callee_text)
    t.file("tenon.toml", """
[components.program]
source = "program.wasm"
links = { "t:t/go" = { to = "callee", via = "isolated" } }
[components.callee]
source = "callee.wasm"
""")


def test_a_program_runs_over_an_isolated_link(t):
    program(t, QUIET)
    t("run", ".").succeeded("")


def test_a_callee_that_exits_ends_itself_alone(t):
    program(t, EXITS)
    ended = t("run", ".").exited(TRAPPED)
    assert "the isolated link from program to callee failed: the callee exited with code 1" in ended.err, ended.err


def test_a_chain_has_a_depth(t):
    step = """(component
      (import "{0}" (instance $i (export "run" (func (param "v" u32) (result u32)))))
      (core func $next (canon lower (func $i "run")))
      (core module $Main (import "" "next" (func $next (param i32) (result i32)))
        (func (export "run") (param i32) (result i32)
          (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $next (i32.sub (local.get 0) (i32.const 1))))) (else (i32.const 0)))))
      (core instance $main (instantiate $Main (with "" (instance (export "next" (func $next))))))
      (func $run (param "v" u32) (result u32) (canon lift (core func $main "run")))
      (instance $made (export "run" (func $run)))
      (export "{1}" (instance $made)))"""
    t.component("a", step.format("b:b/b", "a:a/a"))
    t.component("b", step.format("a:a/a", "b:b/b"))
    t.file("tenon.toml", """
[components.a]
source = "a.wasm"
links = { "b:b/b" = { to = "b", via = "isolated" } }
[components.b]
source = "b.wasm"
links = { "a:a/a" = { to = "a", via = "isolated" } }
""")
    t("call", ".", "a", "run", "64").succeeded("64\n")
    for depth in ("100", "4294967295"):
        ended = t("call", ".", "a", "run", depth).exited(TRAPPED)
        assert "OVERLOADED: more than 64 isolated calls stand in each other" in ended.err, ended.err
