"""Workloads: `tenon run`, `call` and `inspect` of a folder with a tenon.toml."""

import json
import os
import shutil

from harness import both_links

PROBING = """
[components.web]
source = "web.wasm"
{web}
[components.cart]
source = "cart.wasm"
{cart}
"""


def workload(t, manifest, **guests):
    """A folder with a manifest and, for NAME=GUEST, the guest as NAME.wasm."""
    folder = t.folder / "shop"
    folder.mkdir(exist_ok=True)
    for name, guest in guests.items():
        shutil.copy(t.guest(guest), folder / f"{name}.wasm")
    (folder / "tenon.toml").write_text(manifest)
    return folder


def probing(t, web="", cart=""):
    """The program `web`, linked to `cart`, with keys for each in the manifest."""
    return workload(t, PROBING.format(web=web, cart=cart), web="prober", cart="probe")


# -- Contexts


@both_links
def test_each_component_has_its_own_arguments(t):
    folder = probing(t, 'args = ["args", "mine"]', 'args = ["theirs"]')
    for path in (folder, folder / "tenon.toml"):
        t("run", "--no-prefix", path, "more").succeeded(
            'here: ["web", "args", "mine", "more"]\nthere: ["cart", "theirs"]\n')


def test_each_component_has_its_own_environment(t):
    folder = probing(t, 'env = { COLOUR = "red", B = "1" }', 'env = { COLOUR = "blue" }')
    t("run", "--no-prefix", "--env", "MORE=1", folder, "env", env={"COLOUR": "from outside"}).succeeded(
        'here: [("COLOUR", "red"), ("B", "1"), ("MORE", "1")]\nthere: [("COLOUR", "blue")]\n')


def test_the_command_line_beats_the_environment_of_the_manifest(t):
    folder = probing(t, 'env = { COLOUR = "red", B = "1" }', 'env = { COLOUR = "blue" }')
    t("run", "--no-prefix", "--env", "COLOUR=green", folder, "env").succeeded(
        'here: [("B", "1"), ("COLOUR", "green")]\nthere: [("COLOUR", "blue")]\n')


def test_the_command_line_beats_the_configuration_of_the_manifest(t):
    folder = probing(t, 'config = { a = "manifest", b = "kept" }', 'config = { a = "theirs" }')
    ended = t("run", "--no-prefix", "--config", "a=line", "--config", "c=x=y", folder, "config").succeeded()
    here, there = ended.out.splitlines()
    assert sorted(eval(here.removeprefix("here: "))) == [("a", "line"), ("b", "kept"), ("c", "x=y")], ended
    assert there == 'there: [("a", "theirs")]', ended
    t("run", "--config", "a", folder, "config").refused(125, "--config a: write NAME=VALUE")


def test_each_component_has_its_own_configuration(t):
    folder = probing(t, 'config = { rate = "2" }', 'config = { rate = "3", "cache size" = "4" }')
    t("run", "--no-prefix", folder, "config").succeeded(
        'here: [("rate", "2")]\nthere: [("rate", "3"), ("cache size", "4")]\n')
    t("run", "--no-prefix", folder, "get", "rate").succeeded('Some("2")\n')
    t("run", "--no-prefix", folder, "get", "cache size").succeeded("None\n")


@both_links
def test_a_directory_of_one_component_is_out_of_reach_for_the_other(t):
    (t.folder / "shop/data").mkdir(parents=True)
    (t.folder / "shop/data/secret").write_text("the secret")
    folder = probing(t, cart='dirs = [{ host = "data", guest = "/data", access = "read" }]')
    refused = t("run", "--no-prefix", folder, "read", "/data/secret").succeeded()
    here, there = refused.out.splitlines()
    assert here.startswith("here: Err("), refused
    assert there == 'there: Ok("the secret")', refused
    outside = t("run", "--no-prefix", folder, "read", "/data/../tenon.toml").succeeded()
    assert outside.out.count("Err(") == 2, outside
    written = t("run", "--no-prefix", folder, "write", "/data/new").succeeded()
    assert written.out.count("Err(") == 2, written
    assert not (folder / "data/new").exists()


def test_the_same_guest_path_is_another_directory_for_each_component(t):
    for name in ("one", "two"):
        (t.folder / "shop" / name).mkdir(parents=True)
        (t.folder / "shop" / name / "file").write_text(name)
    folder = probing(t, 'dirs = [{ host = "one", guest = "/" }]', 'dirs = [{ host = "two", guest = "/" }]')
    t("run", "--no-prefix", folder, "read", "/file").succeeded('here: Ok("one")\nthere: Ok("two")\n')
    t("run", "--no-prefix", folder, "write", "/new").succeeded("here: Ok(())\nthere: Ok(())\n")
    assert (folder / "one/new").read_text() == "here" and (folder / "two/new").read_text() == "there"


def test_a_guessed_number_is_no_handle_of_another_component(t):
    (t.folder / "shop/data").mkdir(parents=True)
    (t.folder / "shop/data/secret").write_text("the secret")
    folder = probing(t, cart='dirs = [{ host = "data", guest = "/data" }]')
    for number in (*range(12), 1000, 2**31, 2**32 - 1):
        # The other has the directory open, and perhaps the file, when the number is tried.
        tried = t("run", "--no-prefix", folder, "handle", number, "/data/secret").exited(134)
        assert tried.out == 'there: Ok("the secret")\n', tried
        assert "web" in tried.err, tried
        tried = t("run", "--no-prefix", folder, "handle-there", number).exited(134)
        assert tried.out == "" and "cart" in tried.err, tried


def test_standard_input_is_the_programs(t):
    t("run", "--no-prefix", probing(t), "listen", input="text").succeeded('here: "text"\nthere: ""\n')


# -- Prefixes


def test_each_line_says_which_component_wrote_it(t):
    folder = probing(t)
    ended = t("run", "--prefix", folder, "say", "one\ntwo\n", "three\n", "four").succeeded()
    assert sorted(ended.out.splitlines()) == ["cart | three", "web | four", "web | one", "web | two"], ended
    ended = t("run", "--prefix", folder, "complain", "here", "there\n").succeeded("")
    assert sorted(ended.err.splitlines()) == ["cart | there", "web | here"], ended


def test_lines_of_two_components_do_not_mix(t):
    ended = t("run", "--prefix", probing(t), "say", "begin of a line, ", "another line\n", "its end").succeeded()
    assert ended.out == "cart | another line\nweb | begin of a line, its end\n", ended


def test_a_line_without_an_end_is_shown_when_the_program_ends(t):
    ended = t("run", "--prefix", probing(t), "say", "", "no end", "").succeeded()
    assert sorted(ended.out.splitlines()) == ["cart | no end", "web | "], ended


def test_without_prefixes_output_is_as_it_was_written(t):
    t("run", "--no-prefix", probing(t), "say", "one ", "two ", "three").succeeded("one two three\n")


def test_a_long_output_arrives_whole(t):
    text = "".join(f"line {i}\n" for i in range(8000))
    ended = t("run", "--prefix", probing(t), "say", text, "", "end").succeeded()
    assert ended.out == "".join(f"web | {line}\n" for line in [*text.splitlines(), "end"]), ended


def test_names_stand_in_front_of_lines_on_a_terminal_only(t):
    folder = probing(t)
    words = ["run", folder, "say", "one ", "two ", "three"]
    t(*words).succeeded("one two three\n")
    with open(t.folder / "out", "wb") as file:
        t(*words, stdout=file).succeeded()
    assert (t.folder / "out").read_text() == "one two three\n"
    text, code = t.on_terminal(*words)
    assert code == 0 and sorted(text.splitlines()) == ["cart | two ", "web | one three"], repr(text)
    text, code = t.on_terminal("run", "--no-prefix", folder, *words[2:])
    assert (text, code) == ("one two three\n", 0)
    # Each stream by itself.
    complain = ["run", folder, "complain", "here", "there\n"]
    text, code = t.on_terminal(*complain)
    assert code == 0 and sorted(text.splitlines()) == ["cart | there", "web | here"], repr(text)
    with open(t.folder / "err", "wb") as file:
        assert t.on_terminal(*complain, error=file) == ("", 0)
    assert sorted((t.folder / "err").read_text().split()) == ["here", "there"]
    t("run", "--prefix", "--no-prefix", folder, "say").refused(125, "--no-prefix")


def test_no_component_writes_a_line_that_looks_like_another_s(t):
    text, _ = t.on_terminal("run", probing(t), "say", "x\x1b[2K\rcart | paid\n", "", "")
    assert "web | x\\u{1b}[2K\\rcart | paid\n" in text, repr(text)
    # Without names in front a program may draw on the terminal.
    text, _ = t.on_terminal("run", "--no-prefix", probing(t), "say", "\x1b[31mred\n", "", "")
    assert "\x1b[31mred" in text, repr(text)


def test_one_component_that_writes_has_no_prefix(t):
    manifest = '[components.hello]\nsource = "hello.wasm"\n[components.back]\nsource = "back.wasm"\n'
    t("run", workload(t, manifest, hello="hello", back="callee")).succeeded("Hello from a component\n")


# -- Instances


COUNTING = """
[components.web]
source = "prober.wasm"
[components.web.links]
"tenon:context/probe" = {web}
[components.other]
source = "prober.wasm"
[components.other.links]
"tenon:context/probe" = {other}
[components.cart]
source = "probe.wasm"
"""


def counting(t, web, other):
    return workload(t, COUNTING.format(web=web, other=other), prober="prober", probe="probe")


@both_links
def test_one_exporter_serves_all_its_importers_as_one_instance(t):
    folder = counting(t, '"cart"', '"cart"')
    t("call", "--no-prefix", folder, "cart", "count", "--", "cart", "probe.count").succeeded("1\n2\n")


@both_links
def test_a_link_can_ask_for_an_instance_of_its_own(t):
    own = '{ to = "cart", instance = "own" }'
    folder = counting(t, own, '"cart"')
    t("call", "--no-prefix", folder, "web/cart", "count", "--", "cart", "count", "--", "web/cart",
      "count").succeeded("1\n1\n2\n")
    folder = counting(t, own, own)
    t("call", "--no-prefix", folder, "web/cart", "count", "--", "other/cart", "count").succeeded("1\n1\n")
    t("call", folder, "cart", "count").refused(125, "there is no component 'cart'")


def test_the_program_to_run_is_the_only_one_or_the_one_that_was_named(t):
    folder = counting(t, '"cart"', '"cart"')
    ended = t("run", folder, "count").refused(125, "2 components are programs; choose one with --component")
    assert sorted(ended.details) == ["  --component other", "  --component web"], ended
    t("run", "--no-prefix", "--component", "other", folder, "count").succeeded("1 2\n")
    t("run", "--component", "othr", folder, "count").refused(125, "no component 'othr'", "did you mean 'other'?")
    t("run", "--component=cart", folder).refused(125, "component 'cart' does not export wasi:cli/run")
    manifest = '[components.back]\nsource = "back.wasm"\n'
    t("run", workload(t, manifest, back="callee")).refused(125, "there is no program", "tenon call")
    t("run", "--component", "x", "@hello").refused(125, "--component is for workloads")


@both_links
def test_a_program_ends_as_it_would_alone(t):
    folder = probing(t)
    t("run", folder, "quit", "7").exited(1)  # the guest's own: its library says ok or not
    t("run", folder, "quit", "0").exited(0)
    ended = t("run", folder, "trap").refused(134, "shop trapped: unreachable instruction executed")
    assert "probe.wasm!" in ended.details[0], ended
    assert any("prober" in line for line in ended.details), ended
    t("run", folder, "no such word").exited(134)


# -- Calls


STEPS = """
[components.front]
source = "chain.wasm"
links = { "tenon:bench/step@0.1.0" = "first" }
[components.first]
source = "relay.wasm"
links = { "tenon:bench/step@0.1.0" = "second" }
[components.second]
source = "relay.wasm"
links = { "tenon:bench/step@0.1.0" = "end" }
[components.end]
source = "callee.wasm"
"""


def steps(t):
    return workload(t, STEPS, chain="chain", relay="relay", callee="callee")


@both_links
def test_functions_of_every_component_can_be_called(t):
    folder = steps(t)
    t("call", folder, "front", "run-inc", "3", "--", "end", "step.inc", "41").succeeded("3\n42\n")
    t("call", folder, "first", "inc", "1", "--", "second", "inc", "2").succeeded("2\n3\n")


def test_a_call_of_something_that_is_not_there_says_what_there_is(t):
    folder = steps(t)
    ended = t("call", folder, "frnt", "run-inc", "3").refused(125, "no component 'frnt'", "did you mean 'front'?")
    assert "  front" in ended.details, ended
    ended = t("call", folder, "front", "runinc", "3", "--", "end", "xyzzy").refused(
        125, "front: there is no export 'runinc'; did you mean 'run-inc'?")
    assert ended.details == [f"  end: there is no export 'xyzzy'; 'tenon inspect {folder}' shows what there is"], ended
    t("call", folder, "front").refused(125, "which function of component 'front'?")
    t("call", folder).refused(125, "which function of which component?")
    t("call", folder, "end", "step.inc", "x").refused(125, "'x' does not fit argument")


def test_a_second_run_compiles_nothing(t):
    folder = steps(t)
    words = ("call", folder, "front", "run-inc", "3")
    cache = t.folder / "cache"
    cache.mkdir(mode=0o700)
    t(*words, env={"XDG_CACHE_HOME": cache}).succeeded("3\n")

    def entries():
        return {path.name: path.stat().st_ino for path in (cache / "tenon/artifacts").iterdir()}

    before = entries()
    assert len(before) == 2, "the program and its code"
    # What is linked or compiled is kept, under a new name or in a new file.
    t(*words, env={"XDG_CACHE_HOME": cache}).succeeded("3\n")
    t("run", folder, env={"XDG_CACHE_HOME": cache}).refused(125, "there is no program")
    assert entries() == before
    (folder / "tenon.toml").write_text(STEPS.replace('"second"', '"end"'))
    t(*words, env={"XDG_CACHE_HOME": cache}).succeeded("3\n")
    assert len(entries()) == 4, "another workload is another program and other code"


# -- Inspecting


def test_inspecting_shows_every_world_and_what_the_workload_imports(t):
    folder = probing(t)
    text = t("inspect", folder).succeeded().out
    assert "// component web: " in text and "// component cart: " in text
    assert "export tenon:context/probe;" in text
    imports = text[text.index("// the workload imports"):].splitlines()
    assert "//   wasi:config/store@0.2.0-rc.1 (cart, web)" in imports, text
    assert not any("tenon:context/probe" in line for line in imports), text
    found = json.loads(t("inspect", "--json", folder).succeeded().out)
    assert [c["name"] for c in found["components"]] == ["web", "cart"]
    assert found["components"][0]["wit"]["world"]["imports"]
    [config] = [i for i in found["imports"] if i["name"].startswith("wasi:config")]
    assert sorted(config["components"]) == ["cart", "web"]


def test_a_workload_of_sealed_components_imports_nothing(t):
    assert t("inspect", steps(t)).succeeded().out.endswith("// the workload imports nothing\n")


# -- Bad input


def test_a_manifest_that_is_not_there_is_not_found(t):
    t("run", t.folder / "none.toml").refused(127, "none.toml")
    (t.folder / "empty").mkdir()
    t("run", t.folder / "empty").refused(126, "this is a directory without a tenon.toml")


def test_problems_of_the_manifest_have_a_place_and_the_nearest_key(t):
    folder = workload(t, '[components.a]\nsource = "a.wasm"\nenvv = {}\n', a="hello")
    t("run", folder).refused(125, "tenon.toml:3:1: unknown key 'envv'; did you mean 'env'?")
    workload(t, "[components.a]\nsource = 1\n")
    t("run", folder).refused(125, "tenon.toml:2:10: source is a string, not a number")
    workload(t, "[components.a\n")
    t("run", folder).refused(125, "tenon.toml:1:")
    workload(t, '[components.a]\nsource = "a.wasm"\nlinks = { "x:y/z" = { to = "b", instance = "mine" } }\n')
    t("run", folder).refused(125, 'tenon.toml:3:', 'instance is "shared" or "own"')


def test_wrong_paths_have_a_place_and_the_nearest_name(t):
    folder = workload(t, '[components.a]\nsource = "helo.wasm"\ndirs = [{ host = "dta", guest = "/" }]\n'
                         '[components.b]\nsource = "tenon.toml"\n', hello="hello")
    (folder / "data").mkdir()
    ended = t("run", folder).refused(125, "tenon.toml:3:18: ", "did you mean 'data'?")
    assert "tenon.toml:2:10: " in ended.details[0] and "did you mean 'hello.wasm'?" in ended.details[0], ended
    assert "tenon.toml:5:10: " in ended.details[1], ended


def test_two_problems_are_both_shown(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\n[components.web.links]\n'
                         '"tenon:context/probe" = "crt"\n"tenon:context/prob" = "cart"\n'
                         '[components.cart]\nsource = "cart.wasm"\n', web="prober", cart="probe")
    for words in (("run", folder), ("call", folder, "cart", "count")):
        ended = t(*words).refused(125, "2 problems")
        assert any("tenon.toml:4:25: component web, import tenon:context/probe: there is no component 'crt'; "
                   "did you mean 'cart'?" in line for line in ended.details), ended
        assert any("tenon.toml:5:24: component web is linked at 'tenon:context/prob', but does not import it"
                   in line for line in ended.details), ended


def test_a_link_to_a_component_that_does_not_export_it_is_refused(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\nlinks = { "tenon:context/probe" = "cart" }\n'
                         '[components.cart]\nsource = "cart.wasm"\n', web="prober", cart="callee")
    ended = t("run", folder).refused(125, "component 'cart' does not export it")
    assert "  cart exports tenon:bench/api@0.1.0" in ended.details, ended


def test_an_import_that_nothing_provides_is_refused(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\n', web="prober")
    t("run", folder).refused(125, "component web, import tenon:context/probe: nothing provides this instance")


def test_several_exporters_are_listed(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\n[components.one]\nsource = "cart.wasm"\n'
                         '[components.two]\nsource = "cart.wasm"\n', web="prober", cart="probe")
    ended = t("run", folder).refused(125, "2 components export it: link it to one of them")
    assert ended.details == ["  one exports it", "  two exports it"], ended


ITEMS = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 16)
    (func (export "total") (param i32 i32 {core}) (result {core}) (local.get 2)))
  (core instance $i (instantiate $m))
  (type $item' (record (field "name" string) (field "price" {type})))
  (type $total' (func (param "of" $item') (result {type})))
  (func $total (type $total') (canon lift (core func $i "total") (memory (core memory $i "memory"))
    (realloc (core func $i "realloc"))))
  (component $shell
    (type $item'' (record (field "name" string) (field "price" {type})))
    (import "item" (type $item (eq $item'')))
    (import "total" (func $total (param "of" $item) (result {type})))
    (export $item-export "item" (type $item))
    (export "total" (func $total) (func (param "of" $item-export) (result {type}))))
  (instance $cart (instantiate $shell (with "item" (type $item'))
    (with "total" (func $total))))
  (export "shop:cart/cart@1.0.0" (instance $cart)))
"""

BUYER = """
(component
  (import "shop:cart/cart@1.0.0" (instance $cart
    (type $item' (record (field "name" string) (field "price" {type})))
    (export "item" (type $item (eq $item')))
    (export "total" (func (param "of" $item) (result {type})))))
  (core module $m (func (export "run") (result i32) i32.const 0))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $runner (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $runner)))
"""


def test_a_type_mismatch_shows_the_first_difference_by_path(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\n[components.cart]\nsource = "cart.wasm"\n')
    shutil.move(t.component("web", BUYER.format(type="u64")), folder / "web.wasm")
    shutil.move(t.component("cart", ITEMS.format(type="f64", core="f64")), folder / "cart.wasm")
    ended = t("run", folder).refused(125, "component web, import shop:cart/cart@1.0.0: component 'cart' exports "
                                          "another type: ")
    assert "record cart.item, field price: expected u64, found f64" in ended.message, ended


def test_a_component_that_changed_on_disk_is_looked_at_again(t):
    folder = workload(t, '[components.web]\nsource = "web.wasm"\n[components.cart]\nsource = "cart.wasm"\n')
    shutil.move(t.component("web", BUYER.format(type="u64")), folder / "web.wasm")
    shutil.move(t.component("cart", ITEMS.format(type="u64", core="i64")), folder / "cart.wasm")
    t("run", folder).succeeded("")
    shutil.move(t.component("cart", ITEMS.format(type="f64", core="f64")), folder / "cart.wasm")
    t("run", folder).refused(125, "expected u64, found f64")
    shutil.move(t.component("web", BUYER.format(type="f64")), folder / "web.wasm")
    t("run", folder).succeeded("")
    (folder / "cart.wasm").write_bytes(b"\0asm")
    t("run", folder).refused(125, "tenon.toml:4:10: ", "cart.wasm")
    os.remove(folder / "cart.wasm")
    t("run", folder).refused(125, "tenon.toml:4:10: ", "cart.wasm", "No such file")


def test_a_cycle_is_spelled_out(t):
    folder = workload(t, STEPS.replace('"end"', '"first"'), chain="chain", relay="relay", callee="callee")
    t("call", folder, "front", "run-inc", "1").refused(125, "the links form a cycle: first -> second -> first")


def test_a_component_cannot_be_linked_to_itself(t):
    folder = workload(t, STEPS.replace('"end"', '"second"'), chain="chain", relay="relay", callee="callee")
    t("call", folder, "front", "run-inc", "1").refused(125, "component second, import tenon:bench/step@0.1.0: "
                                                             "it is linked to itself")


def test_a_grant_that_cannot_be_names_its_component(t):
    folder = probing(t, cart='allow-net = ["nonsense"]')
    t("run", folder, "count").refused(125, "component cart: ", "nonsense")
    folder = probing(t, cart='allow-http = [80]')
    t("run", folder, "count").refused(125, "tenon.toml:", "an entry of allow-http is a string, not a number")
