"""Components that are made to be compiled for ever: refused by their shape, or stopped."""

import time

from harness import one_core

COMMAND = """(component {modules}
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $e (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $e)))"""


def function(code, count, head='(export "run") '):
    return f"(func {head}(result i32) (local {'i32 ' * count}) {code} (i32.const 0))"


def loops(depth, groups, count):
    """`groups` times `depth` nested loops; each changes one of `count` locals."""
    text = []
    for group in range(groups):
        for i in range(depth):
            local = (group * depth + i) % count
            text.append(f"(loop (local.set {local} (i32.add (local.get {local}) (i32.const 1)))")
        text += [f"(br_if 0 (local.get {3 * i % count})))" for i in range(depth)]
    return " ".join(text)


def program(t, *functions):
    return t.component("slow", COMMAND.format(modules=f"(core module $m {' '.join(functions)})"))


def slow(t):
    """Takes a core many seconds to compile, of shapes that are allowed."""
    code = loops(16, 60, 500)
    return program(t, function("", 1), *(function(code, 500, "") for _ in range(20)))


def test_loops_that_are_nested_too_deep_are_refused_at_once(t):
    deep = program(t, function(loops(500, 1, 500), 500))
    for words in (("run", deep), ("serve", "--addr", "127.0.0.1:0", deep), ("compile", deep, "-o", "out"),
                  ("call", deep, "run")):
        ended = t(words[0], "--no-cache", *words[1:])
        assert ended.code not in (0, None), ended
        if words[0] != "serve":  # which finds first that it answers no requests
            assert "nests loops 500 deep" in ended.err, ended
        assert ended.cpu < 5, ended


def test_many_locals_in_much_code_are_refused_at_once(t):
    ifs = " ".join(f"(if (local.get {i}) (then (local.set {7 * i} (i32.const 1))))" for i in range(2000))
    for code, words in ((loops(2, 100, 20_000), "20000 locals and 200 loops"),
                        (ifs, "20000 locals and 2000 blocks and branches")):
        ended = t("run", "--no-cache", program(t, function(code, 20_000)))
        ended.refused(125, words)
        assert ended.cpu < 5, ended


def test_compiling_is_part_of_the_timeout(t):
    component = slow(t)
    for words in (("run", component), ("call", component, "run")):
        ended = t(words[0], "--no-cache", "--timeout", "1s", *words[1:], preexec_fn=one_core)
        ended.refused(124, "compiling was not done after 1s", "--timeout")
        assert ended.seconds < 5, ended


def test_compiling_has_a_time_of_its_own(t):
    component = slow(t)
    for words in (("run", "--no-cache", component), ("compile", component, "-o", "out")):
        ended = t(words[0], "--compile-timeout", "500ms", *words[1:], preexec_fn=one_core)
        ended.refused(124, "compiling takes longer than 0.5 s")
        assert words[0] != "run" or "--compile-timeout" in ended.message, ended
    assert not (t.folder / "out").exists()


def test_compiling_has_a_limit_of_memory(t):
    t("run", "--no-cache", "--compile-memory", "64M", slow(t)).refused(
        125, "compiling takes more memory than 64 MiB", "--compile-memory")


def test_nothing_goes_on_when_the_command_is_ended(t):
    process = t.start("run", "--no-cache", slow(t), preexec_fn=one_core)
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    workers, end = [], time.monotonic() + 20
    while not workers and time.monotonic() < end:
        with open(children) as file:
            workers = file.read().split()
        time.sleep(0.02)
    assert len(workers) == 1, workers
    process.kill()
    process.communicate()
    while time.monotonic() < end:
        try:
            with open(f"/proc/{workers[0]}/stat") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.02)
    raise AssertionError("the compiler still runs")


def test_what_is_in_the_cache_needs_no_process(t):
    component = program(t, function("", 0))
    t("run", component).succeeded()
    t("run", "--compile-timeout", "1ms", component).succeeded()  # no process starts in that time
    t("run", "--no-cache", "--compile-timeout", "1ms", component).refused(124, "compiling takes longer")


def test_refusals_of_code_are_the_same_from_the_other_process(t):
    component = program(t, '(func (export "run") (result i32) (i64.const 0))')
    t("run", "--no-cache", component).refused(126, "type mismatch", "at byte")
