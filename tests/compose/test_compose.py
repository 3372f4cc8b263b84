"""Compositions by `wasm-tools compose` and by `wac` run as any component does, and behave as the workload of their
parts."""

import pathlib
import subprocess

from harness import both_links

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "tests/compose/fixtures"
BLOBBY = REPOSITORY / "build/examples/blobby"
RUN = "tenon:bench/run@0.1.0"


def wasm_tools(*words):
    root = subprocess.run(["deps/where", "wasm-tools"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    subprocess.run([root.stdout.strip() + "/bin/wasm-tools", *map(str, words)], check=True, capture_output=True)


def workload(t, components):
    text = "".join(f'[components.{name}]\nsource = "{source}"\n' for name, source in components.items())
    return t.file("tenon.toml", f'name = "composed"\n{text}')


CALLS = [("run-inc", 100, 0), ("run-len", 3, 16), ("run-echo-string", 2, 100), ("run-echo-bytes", 2, 1000),
         ("run-numbers", 2, 50), ("run-samples", 2, 50), ("run-strings", 2, 20), ("run-place", 5, 16),
         ("run-meter-add", 5, 0), ("run-meter-new", 50, 0)]


@both_links
def test_wac_and_wasm_tools_and_a_manifest_give_the_same(t):
    manifest = workload(t, {"front": t.guest("caller"), "back": t.guest("callee")})
    for function, iterations, size in CALLS:
        words = [function, iterations, size]
        expected = t("call", "@pair", *words).succeeded().out
        t("call", FIXTURES / "wac_plug.wasm", *words).succeeded(expected)
        t("call", manifest, "front", *words).succeeded(expected)


@both_links
def test_a_chain_by_wac_has_two_instances_of_one_component(t):
    chain = FIXTURES / "wac_chain.wasm"
    t("call", chain, "run-inc", 1000).succeeded("1000\n")
    t("call", chain, "the-end.inc", 41).succeeded("42\n")


@both_links
def test_a_program_by_wac_runs(t):
    t("run", FIXTURES / "wac_command.wasm").succeeded("")


def test_a_composition_of_a_composition_runs(t):
    inner = t.folder / "inner.wasm"
    wasm_tools("compose", t.guest("relay"), "--definitions", t.guest("callee"), "--output", inner)
    outer = t.folder / "outer.wasm"
    wasm_tools("compose", t.guest("chain"), "--definitions", inner, "--output", outer)
    t("call", outer, "run-inc", 7).succeeded("7\n")


def test_a_composition_can_be_a_part_of_a_workload(t):
    inner = t.folder / "inner.wasm"
    wasm_tools("compose", t.guest("relay"), "--definitions", t.guest("callee"), "--output", inner)
    manifest = workload(t, {"head": t.guest("chain"), "tail": inner})
    t("call", manifest, "head", "run-inc", 7).succeeded("7\n")


def test_a_program_with_all_of_wasi_composed_by_wasm_tools_runs(t):
    composed = t.folder / "blobby.wasm"
    wasm_tools("compose", BLOBBY / "importer.wasm", "--definitions", BLOBBY / "store.wasm", "--output", composed)
    (t.folder / "data").mkdir()
    t("run", "--dir", "data::/blobs", composed, "put", "a", "b", "text").succeeded("")
    t("run", "--dir", "data::/blobs", composed, "get", "a", "b").succeeded("text")


def test_the_plan_of_a_composition_shows_what_is_left_to_the_host(t):
    t("plan", FIXTURES / "wac_chain.wasm").succeeded()
    t("plan", "@nested").succeeded()
