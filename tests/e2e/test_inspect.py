"""`tenon inspect`: worlds as text. That they are what wasm-tools prints is tested in tests/wit."""

import json
import os
import subprocess


def test_a_world_is_printed_as_wit(t):
    text = t("inspect", "@hello").succeeded().out
    assert text.startswith("package root:component;\n") and "  export wasi:cli/run@0.2.0;\n" in text, text
    text = t("inspect", "@types").succeeded().out
    for line in ("  export add: func(a: u32, b: u32) -> u32;", "  export tenon:types/echo@1.0.0;", "    resource counter {",
                 "    echo-result-err: func(v: result<_, string>) -> result<_, string>;"):
        assert line in text.split("\n"), f"{line} is missing: {text}"


def test_a_world_is_printed_as_json(t):
    for guest in ("@hello", "@types", "@nested", "@host_imports", "@c_cli"):
        world = json.loads(t("inspect", "--json", guest).succeeded().out)
        assert isinstance(world, dict) and world, guest


def test_options_may_follow_the_file(t):
    assert t("inspect", "@hello", "--json").succeeded().out == t("inspect", "--json", "@hello").succeeded().out


def test_the_largest_component_takes_less_than_a_second(t):
    ended = min((t("inspect", "@py_types") for _ in range(3)), key=lambda ended: ended.cpu)
    assert "export tenon:types/basic@1.0.0;" in ended.succeeded().out
    assert t.slow or ended.cpu < 1, str(ended)


def test_a_reader_that_leaves_has_seen_enough(t):
    process = t.start("inspect", "@py_types", stdout=subprocess.PIPE)
    process.stdin.close()
    process.stdout.close()
    assert process.wait(timeout=60) == 125
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_closed_output_is_an_error(t):
    for words in (["inspect", "@types"], ["call", "@types", "add", "1", "2"], ["plan", "@types"], ["run", "--help"]):
        t(*words, preexec_fn=lambda: os.close(1)).refused(125, "standard output: it is closed")


def test_compiled_code_is_sent_back_to_its_source(t):
    t("compile", "@hello", "-o", "hello.tenon").succeeded("")
    t("inspect", "hello.tenon").refused(126, "hello.tenon", "compiled code", "made from")


def test_two_files_are_one_too_many(t):
    t("inspect", "@hello", "@types").refused(125, "types.wasm", "too many")
