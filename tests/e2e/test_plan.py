"""`tenon plan`: what satisfies each import, as a table, JSON and a graph; and all problems at once."""

import json
import os
import re
import subprocess

API = "tenon:bench/api@0.1.0"
STEP = "tenon:bench/step@0.1.0"
# Exports STEP with another type.
STEP_OF_OTHER_TYPE = """(component
  (core module $M (func (export "inc") (param i64) (result i32) (i32.const 0)))
  (core instance $m (instantiate $M))
  (func $inc (param "v" u64) (result u32) (canon lift (core func $m "inc")))
  (instance $api (export "inc" (func $inc)))
  (export "tenon:bench/step@0.1.0" (instance $api)))"""


def workload(t, components, links=None):
    """A manifest with components by name, each made of a guest, and links by component."""
    text = 'name = "made-up"\n'
    for name, guest in components.items():
        text += f'[components.{name}]\nsource = "{t.guest(guest)}"\n'
        if links and name in links:
            text += f"[components.{name}.links]\n"
            text += "".join(f'"{import_}" = "{to}"\n' for import_, to in links[name].items())
    return t.file("tenon.toml", text)


def pair(t):
    return workload(t, {"front": "caller", "back": "callee"})


def rows(text):
    """The table's rows by (component, import): cost and who."""
    lines = text.split("\n")
    head = next(i for i, line in enumerate(lines) if line.startswith("COMPONENT"))
    starts = [lines[head].index(title) for title in ("COMPONENT", "IMPORT", "COST", "SATISFIED BY")]
    found = {}
    for line in lines[head + 1:]:
        if not line:
            break
        # Columns are aligned: there is a gap before each.
        for start in starts[1:]:
            assert len(line) < start or line[start - 1] == " ", f"{line!r} is not aligned:\n{text}"
        cells = [line[a:b].strip() for a, b in zip(starts, starts[1:] + [None])]
        found[cells[0], cells[1]] = cells[2:]
    return found


# -- A plan that is fine


def test_the_table_says_who_satisfies_each_import(t):
    text = t("plan", pair(t)).succeeded().out
    assert text.startswith("made-up: 2 components, 1 import: 1 fused\n"), text
    assert rows(text) == {("front", API): ["fused", "back"], ("back", "none"): ["", ""]}, text
    assert "Program: none" in text and "\x1b" not in text, text


def test_a_folder_is_its_tenon_toml(t):
    pair(t)
    assert t("plan", t.folder).succeeded().out == t("plan", "tenon.toml").succeeded().out


def test_imports_of_the_host_and_of_a_component_are_told_apart(t):
    manifest = workload(t, {"front": "caller_std", "back": "callee_std"})
    found = rows(t("plan", "--all", manifest).succeeded().out)
    assert found["front", API] == ["fused", "back"], found
    assert found["front", "wasi:cli/stdout@0.2.6"] == ["host", "host, WASI"], found
    assert {row[0] for row in found.values()} == {"fused", "host"}, found


def test_wasi_is_one_row_unless_all_is_said(t):
    found = rows(t("plan", "@hello").succeeded().out)
    assert found == {("hello", "wasi:* (13)"): ["host", "host, WASI"]}, found
    found = rows(t("plan", "--all", "@hello").succeeded().out)
    assert len(found) == 13 and all(name.startswith("wasi:") for _, name in found), found


def test_a_terminal_gets_colour(t):
    import pty

    ours, theirs = pty.openpty()
    process = t.start("plan", pair(t), stdout=theirs, stdin=subprocess.DEVNULL)
    process.wait(timeout=60)
    os.close(theirs)
    text = os.read(ours, 10000).decode()
    os.close(ours)
    process.stderr.close()
    assert "\x1b[32mfused\x1b[0m" in text, text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r\n", "\n")
    assert plain == t("plan", "tenon.toml").succeeded().out, plain


def test_json_is_for_programs(t):
    plan = json.loads(t("plan", "--json", pair(t)).succeeded().out)
    assert plan["name"] == "made-up" and plan["ok"] is True and plan["problems"] == [], plan
    back, front = plan["components"]  # providers first
    assert (back["name"], front["name"]) == ("back", "front"), plan
    assert front["source"].endswith("caller.wasm") and front["program"] is False, plan
    assert front["imports"] == [
        {"import": API, "kind": "instance", "cost": "fused", "component": "back", "export": API}
    ], plan
    assert back["imports"] == [], plan


def test_a_component_that_nobody_uses_is_reported(t):
    manifest = workload(t, {"front": "caller", "back": "callee", "idle": "types"})
    text = t("plan", manifest).succeeded().out
    assert "Used by no other component: front, idle\n" in text, text
    manifest = workload(t, {"program": "hello", "idle": "types"})
    text = t("plan", manifest).succeeded().out
    assert "Program: program\nReached by no program: idle\n" in text, text
    assert json.loads(t("plan", "--json", manifest).succeeded().out)["unreached"] == ["idle"]


def test_a_single_component_is_all_host(t):
    text = t("plan", "@hello").succeeded().out
    assert text.startswith("hello: 1 component, 13 imports: 13 host\n"), text
    assert "Program: hello\n" in text, text
    assert {tuple(row) for row in rows(text).values()} == {("host", "host, WASI")}, text
    t("plan", "@callee").succeeded()


def routed(t):
    """Three components, of which two answer HTTP requests by routes."""
    manifest = workload(t, {"web": "http_hello", "api": "http_hello", "idle": "types"})
    routes = '[http.routes]\n"/" = "web"\n"/api" = "api"\n"*.example.com" = "api"\n'
    manifest.write_text(manifest.read_text() + routes)
    return manifest


def test_routes_say_who_answers(t):
    text = t("plan", routed(t)).succeeded().out
    assert """
HTTP requests:
  /              web
  /api           api
  *.example.com  api
Granted:
""" in text, text
    plan = json.loads(t("plan", "--json", "tenon.toml").succeeded().out)
    assert plan["routes"][1] == {"match": "/api", "component": "api"}, plan


def test_the_only_component_that_answers_answers_all(t):
    text = t("plan", workload(t, {"web": "http_hello", "idle": "types"})).succeeded().out
    assert "\nHTTP requests:\n  /  web\nGranted:\n" in text, text
    plan = json.loads(t("plan", "--json", "@http_hello").succeeded().out)
    assert plan["routes"] == [{"match": "/", "component": "http_hello"}], plan
    manifest = workload(t, {"web": "http_hello", "api": "http_hello"})
    assert "HTTP requests" not in t("plan", manifest).succeeded().out
    t("serve", manifest).refused(125, "tenon.toml: 2 components of the workload answer HTTP requests: say which",
                                 "--component NAME", "[http.routes]")
    for words in (["plan", "@hello"], ["plan", "--json", "@hello"]):
        with open("/dev/full", "wb") as full:
            t(*words, stdout=full).refused(125, "standard output: No space left")


def test_planning_compiles_and_caches_nothing(t):
    cache = t.folder / "empty-cache"
    t("plan", "@hello", env={"XDG_CACHE_HOME": cache}).succeeded()
    assert not list(cache.rglob("*.*")), list(cache.rglob("*"))


# -- The graph


def graph(t, *words):
    dot = t("plan", "--dot", *words)
    done = subprocess.run(["dot", "-Tjson"], input=dot.raw_out, capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr, (dot.out, done.stderr)
    drawn = json.loads(done.stdout)
    names = {node["_gvid"]: node["name"] for node in drawn["objects"]}
    edges = {(names[edge["tail"]], names[edge["head"]]): edge["label"] for edge in drawn["edges"]}
    return dot, set(names.values()), edges


def test_graphviz_draws_the_graph(t):
    dot, nodes, edges = graph(t, workload(t, {"front": "caller_std", "back": "callee_std"}))
    dot.succeeded()
    assert nodes == {"component front", "component back", "host"}, nodes
    assert set(edges) == {("component front", "component back"), ("component front", "host"),
                          ("component back", "host")}, edges
    assert API in edges["component front", "component back"], edges
    assert "wasi:cli (10)" in edges["component back", "host"], edges
    svg = subprocess.run(["dot", "-Tsvg"], input=dot.raw_out, capture_output=True, check=True).stdout
    assert b"<svg" in svg and b"front" in svg, svg


def test_the_graph_shows_where_requests_go(t):
    _, nodes, edges = graph(t, routed(t))
    assert nodes == {"requests", "host", "component web", "component api", "component idle"}, nodes
    assert edges["requests", "component api"].split("\\l")[:2] == ["/api", "*.example.com"], edges
    assert ("requests", "component web") in edges and ("requests", "component idle") not in edges, edges


def test_names_that_are_words_of_graphviz_stay_names(t):
    dot, nodes, _ = graph(t, workload(t, {"graph": "caller", "host": "callee"}))
    assert nodes == {"component graph", "component host"}, dot


def test_the_graph_of_what_is_missing(t):
    dot, _, edges = graph(t, "@relay")
    dot.exited(125)
    assert STEP in edges["component relay", "nothing"], edges


# -- Problems


def test_a_missing_import_is_one(t):
    ended = t("plan", "@relay").exited(125)
    assert rows(ended.out) == {("relay", STEP): ["missing", "nothing, see below"]}, str(ended)
    assert f"component relay, import {STEP}: nothing provides this instance" in ended.err, str(ended)
    plan = json.loads(t("plan", "--json", "@relay").exited(125).out)
    assert plan["ok"] is False and plan["problems"][0]["code"] == "missing import", plan
    assert plan["components"][0]["imports"][0]["cost"] == "missing", plan


def test_all_problems_are_shown_at_once(t):
    manifest = workload(t, {"front": "caller", "back": "types_through", "chain": "chain"}, {
        "front": {API: "bck"},
        "back": {"tenon:types/ech@1.0.0": "front"},
    })
    ended = t("plan", manifest).exited(125)
    for part in ("there is no component 'bck'; did you mean 'back'?",
                 "import tenon:types/echo@1.0.0: nothing provides this instance",
                 "is linked at 'tenon:types/ech@1.0.0', but does not import it; did you mean 'tenon:types/echo@1.0.0'?",
                 f"component chain, import {STEP}: nothing provides this instance"):
        assert part in ended.err, f"{part}: {ended}"
    assert len([line for line in ended.err.split("\n") if line.startswith("tenon: ")]) == 4, str(ended)
    assert {row[0] for row in rows(ended.out).values()} == {"missing"}, str(ended)
    assert len(json.loads(t("plan", "--json", manifest).exited(125).out)["problems"]) == 4


def test_several_exporters_are_listed(t):
    ended = t("plan", workload(t, {"front": "caller", "one": "callee", "other": "callee"})).exited(125)
    assert "2 components export it: link it to one of them\n  one exports it\n  other exports it\n" in ended.err, str(ended)


def test_a_cycle_is_spelled_out(t):
    manifest = workload(t, {"a": "relay", "b": "relay"}, {"a": {STEP: "b"}, "b": {STEP: "a"}})
    assert "the links form a cycle: a -> b -> a" in t("plan", manifest).exited(125).err


def test_a_type_that_does_not_match_says_where(t):
    t.component("other", STEP_OF_OTHER_TYPE)
    manifest = t.file("tenon.toml", f'[components.head]\nsource = "{t.guest("relay")}"\n'
                                    '[components.other]\nsource = "other.wasm"\n')
    ended = t("plan", manifest).exited(125)
    assert "component 'other' exports another type" in ended.err, str(ended)
    assert "u32" in ended.err and "u64" in ended.err and "inc" in ended.err, str(ended)


def test_what_is_no_manifest_and_no_component_is_refused(t):
    t("plan", "nowhere.wasm").refused(127, "nowhere.wasm: No such file or directory")
    t("plan", t.file("zero.wasm", bytes(100))).refused(126, "zero.wasm")
    t("plan", t.file("tenon.toml", "nmae = 1\n")).refused(125, "tenon.toml:1")
    t("plan").refused(125, "FILE is required")
    t("plan", "--json", "--dot", "@hello").refused(125, "--dot")


def test_plan_has_help(t):
    text = t("plan", "--help").succeeded().out
    assert "Example:" in text and "--dot" in text and "125" in text, text
    assert "tenon plan FILE" in t("--help").succeeded().out


# -- What components may use, and limits


def test_grants_are_shown_for_each_component(t):
    (t.folder / "data").mkdir()
    t.file("tenon.toml", f"""
timeout = "1500ms"
max-memory = "64M"
[components.web]
source = "{t.guest('callee')}"
dirs = [{{ host = "data", guest = "/data", access = "read" }}, {{ host = ".", guest = "/all" }}]
allow-net = ["10.0.0.0/8:5432", "db.example.com:5432"]
allow-listen = ["127.0.0.1:0"]
allow-http = ["${{SERVER}}"]
env = {{ TOKEN = "${{SECRET}}", LOG = "info" }}
config = {{ currency = "EUR" }}
[components.idle]
source = "{t.guest('callee')}"
""")
    environment = {"SECRET": "abc", "SERVER": "example.com"}
    text = t("plan", "tenon.toml", env=environment).succeeded().out
    assert text.endswith("""
Granted:
  web   directory data as /data, read only
        directory . as /all
        connects to 10.0.0.0/8:5432, db.example.com:5432
        listens at 127.0.0.1:0
        HTTP to example.com
        environment TOKEN, LOG
        configuration currency
  idle  nothing
Limits: 1.5 s a call, 64 MiB of memory
Read from the environment: SECRET, SERVER
"""), text
    assert "abc" not in text, text
    plan = json.loads(t("plan", "--json", "tenon.toml", env=environment).succeeded().out)
    grants = {component["name"]: component["grants"] for component in plan["components"]}
    assert grants["web"]["dirs"][0] == {"host": "data", "guest": "/data", "access": "read"}, grants
    assert grants["web"]["env"] == ["TOKEN", "LOG"] and grants["idle"]["allow-net"] == [], grants
    assert plan["limits"] == {"timeout": 1.5, "max-memory": 64 << 20}, plan
    assert plan["variables"] == ["SECRET", "SERVER"], plan
    ended = t("plan", "tenon.toml").exited(125)
    assert "tenon.toml:9:15: the environment has no variable SERVER" in ended.err, str(ended)


def test_grants_that_cannot_be_are_refused_with_their_places(t):
    t.file("file"), t.file("tenon.toml", f"""
[components.web]
source = "{t.guest('callee')}"
allow-net = ["10.0.0.1:80", "foo"]
allow-listen = ["example.com:80"]
allow-http = ["http://"]
dirs = [{{ host = "file", guest = "/" }}]
[components.web.links]
"a:b/c" = "wbe"
[http.routes]
"/" = "web"
[serve]
threads = 0
idle-timeout = "x"
""")
    for command in (["plan"], ["run"], ["serve"]):
        ended = t(*command, "tenon.toml").exited(125)
        for part in ("tenon.toml:4:29: ", "tenon.toml:5:17: ", "tenon.toml:6:15: ", "tenon.toml:7:18: file is not a directory",
                     "tenon.toml:9:11: component web is linked at 'a:b/c', but does not import it",
                     "tenon.toml:11:7: route '/': component 'web' answers no requests"):
            assert part in ended.err, (part, str(ended))
        # Those that only a server reads.
        for part in ("tenon.toml:13:11: threads: must be 1 or more", "tenon.toml:14:16: idle-timeout: 'x' is not a"):
            assert (part in ended.err) == (command != ["run"]), (part, str(ended))


def test_what_serve_would_refuse_is_refused(t):
    web = f'[components.web]\nsource = "{t.guest("http_hello")}"\n[serve]\n'
    for line, why in (("threads = 0", "must be 1 or more"), ('max-body = "much"', "'much' is not a size"),
                      ('idle-timeout = "x"', "'x' is not a duration"), ('tls-key = "nowhere"', "No such file")):
        t.file("tenon.toml", web + line + "\n")
        ended = t("plan", "tenon.toml").exited(125)
        place = f"tenon.toml:4:{len(line.split('=')[0]) + 3}: {line.split(' ')[0]}: "
        assert place in ended.err and why in ended.err, (place, str(ended))
        t("serve", "tenon.toml", timeout=20).refused(125, place, why)
    # With what is wrong with the links, and each other.
    lines = 'threads = 0\nreuse = "x"\n'
    for source, more, said in (("http_hello", '[http.routes]\n"/" = "wep"\n', "there is no component 'wep'"),
                               ("caller_std", "", "nothing provides this instance")):
        t.file("tenon.toml", web.replace(t.guest("http_hello"), t.guest(source)) + lines + more)
        for command in ("plan", "serve"):
            ended = t(command, "tenon.toml", timeout=20).exited(125)
            for part in ("4:11: threads: must be 1 or more", "5:9: reuse: 'x' is not a number", said):
                assert part in ended.err, (part, str(ended))


def test_a_limit_of_the_manifest_holds_and_the_command_line_beats_it(t):
    spin = f'timeout = "300ms"\n[components.spin]\nsource = "{t.guest("cli")}"\nargs = ["spin"]\n'
    t.file("tenon.toml", spin)
    t("run", "tenon.toml", timeout=60).refused(124, "was not done after", "--timeout")
    t.file("tenon.toml", spin.replace("300ms", "1h"))
    t("run", "--timeout", "300ms", "tenon.toml", timeout=60).refused(124, "was not done after 300ms")


# -- Corners of the Component Model

SUM = """(component
  (core module $m (func (export "f") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
  (core instance $i (instantiate $m))
  (func (export "sum") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "f"))))"""
INCREMENT = """(component
  (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
  (core func $l (canon lower (func $add)))
  (core module $m
    (import "" "add" (func $a (param i32 i32) (result i32)))
    (func (export "f") (param i32) (result i32) local.get 0 i32.const 1 call $a))
  (core instance $i (instantiate $m (with "" (instance (export "add" (func $l))))))
  (func (export "inc") (param "x" u32) (result u32) (canon lift (core func $i "f"))))"""
USES_RESOURCE = """(component
  (import "thing" (type $thing (sub resource)))
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (core func $drop (canon resource.drop $thing))
  (func (export "take") (param "t" (own $thing)) (canon lift (core func $i "f"))))"""
HAS_RESOURCE = """(component
  (type $t (resource (rep i32)))
  (export "thing" (type $t)))"""


def test_a_link_may_name_an_export_of_another_name(t):
    t.component("sum", SUM), t.component("increment", INCREMENT)
    parts = '[components.inc]\nsource = "increment.wasm"\n[components.sum]\nsource = "sum.wasm"\n'
    t.file("tenon.toml", parts + '[components.inc.links]\nadd = { to = "sum", item = "sum" }\n')
    assert rows(t("plan", ".").succeeded().out)["inc", "add"] == ["fused", "sum, sum"]
    t("call", ".", "inc", "inc", "41").succeeded("42\n")
    t.file("tenon.toml", parts + '[components.inc.links]\nadd = { to = "sum", item = "sun" }\n')
    ended = t("plan", ".").exited(125)
    assert "tenon.toml:6:7: component inc, import add: component 'sum' does not export 'sun'; did you mean 'sum'?" in ended.err
    t.file("tenon.toml", parts + '[components.inc.links]\nadd = "sum"\n')
    ended = t("plan", ".").exited(125)
    assert "component 'sum' does not export it; an export of another name is linked by item = \"NAME\"" in ended.err


def test_a_resource_at_the_root_needs_somebody_who_defines_it(t):
    t.component("user", USES_RESOURCE), t.component("owner", HAS_RESOURCE)
    ended = t("plan", "user.wasm").exited(125)
    assert rows(ended.out)["user", "thing"] == ["missing", "nothing, see below"], str(ended)
    assert "import thing: nothing provides this" in ended.err, str(ended)
    t.file("tenon.toml", '[components.user]\nsource = "user.wasm"\n[components.owner]\nsource = "owner.wasm"\n')
    assert rows(t("plan", ".").succeeded().out)["user", "thing"] == ["fused", "owner"]


MODULE = """(component
  (core module $m (func (export "f") (param i32) (result i32) local.get 0 i32.const 1 i32.add)
    (memory (export "memory") 1))
  (export "lib" (core module $m)))"""
USES_MODULE = """(component
  (import "lib" (core module $m
    (export "f" (func (param i32) (result i32))) (export "memory" (memory 1))))
  (core instance $i (instantiate $m))
  (core instance $j (instantiate $m))
  (func (export "inc") (param "x" u32) (result u32) (canon lift (core func $i "f") (memory (core memory $j "memory")))))"""


def test_a_core_module_comes_from_a_component_of_the_workload(t):
    t.component("lib", MODULE), t.component("user", USES_MODULE)
    t.file("tenon.toml", '[components.user]\nsource = "user.wasm"\n[components.lib]\nsource = "lib.wasm"\n')
    assert rows(t("plan", ".").succeeded().out)["user", "lib"] == ["fused", "lib"]
    t("call", ".", "user", "inc", "41").succeeded("42\n")
    t("call", ".", "user", "inc", "1").succeeded("2\n")  # from the cache
    t("inspect", "user.wasm").succeeded()


def test_a_core_module_that_nobody_exports_is_refused(t):
    t.component("user", USES_MODULE), t.component("other", MODULE.replace("(param i32)", "(param i64)").replace(
        "local.get 0 i32.const 1 i32.add", "i32.const 1"))
    ended = t("plan", "user.wasm").exited(125)
    assert "import lib: nothing provides this" in ended.err, str(ended)
    for words in (["run", "user.wasm"], ["call", "user.wasm", "inc", "1"], ["compile", "user.wasm", "-o", "x"]):
        t(*words).refused(126, "the component imports a core module, lib: only a component of the same workload")
    t.file("tenon.toml", '[components.user]\nsource = "user.wasm"\n[components.other]\nsource = "other.wasm"\n')
    ended = t("plan", ".").exited(125)
    assert "component 'other' exports another type" in ended.err, str(ended)


REEXPORTS = """(component
  (import "wasi:cli/environment@0.2.0" (instance $e
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:http/types@0.2.0" (instance $h
    (export "fields" (type $fields (sub resource)))
    (type $e (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
    (export "header-error" (type $error (eq $e)))
    (export "[constructor]fields" (func (result (own $fields))))
    (export "[static]fields.from-list" (func (param "entries" (list (tuple string (list u8))))
      (result (result (own $fields) (error $error)))))
    (export "[method]fields.get" (func (param "self" (borrow $fields)) (param "name" string)
      (result (list (list u8)))))
    (export "[method]fields.append" (func (param "self" (borrow $fields)) (param "name" string)
      (param "value" (list u8)) (result (result (error $error)))))))
  (alias export $e "get-arguments" (func $arguments))
  (export "again" (func $arguments))
  (export "wasi:http/types@0.2.0" (instance $h)))"""


def test_an_import_that_is_exported_again_is_called(t):
    t.component("again", REEXPORTS)
    t("call", "again.wasm", "again").succeeded('["again.wasm"]\n')
    # Strings and lists, results in memory, and handles, which are lent and given back.
    t("call", "again.wasm", "[static]fields.from-list", '[("a", [65, 66]), ("b", [])]',
      "--", "fields.get", "#fields-1", '"a"', "--", "fields.append", "#fields-1", '"a"', "[67]",
      "--", "fields.get", "#fields-1", '"a"').succeeded("ok(#fields-1)\n[[65, 66]]\nok\n[[65, 66], [67]]\n")
    t("call", "again.wasm", "[constructor]fields", "--", "fields.append", "#fields-1", '"a b"', "[]").succeeded(
        "#fields-1\nerr(invalid-syntax)\n")
    found = t("call", "again.wasm", "[constructor]fields", "--", "fields.append", "#fields-1", '"a"', "[" + "77, " * 20_000 + "]",
              "--", "fields.get", "#fields-1", '"a"').succeeded().out
    assert found.count("77") == 20_000, len(found)
    # In a workload too, with the component's own context.
    t.file("tenon.toml", '[components.one]\nsource = "again.wasm"\nargs = ["x"]\n[components.two]\nsource = "again.wasm"\n')
    t("call", ".", "one", "again", "--", "two", "again").succeeded('["one", "x"]\n["two"]\n')
