"""What `tenon plan` prints, letter by letter: for the examples, and for workloads of the guests and of small components.

`plans/NAME.txt` has what was printed, as a transcript. After a change that is meant, TENON_WRITE_PLANS=1 makes them anew.
"""

import difflib
import os
import pathlib

from test_plan import HAS_RESOURCE, INCREMENT, MODULE, STEP_OF_OTHER_TYPE, SUM, USES_MODULE, USES_RESOURCE

PLANS = pathlib.Path(__file__).resolve().parent / "plans"
REPOSITORY = PLANS.parents[2]
FORMS = ([], ["--all"], ["--json"], ["--dot"])


def compare(t, name, path, *options):
    """`path`: from the test's folder, so that no message has a path of this machine."""
    text = ""
    for form in FORMS:
        ended = t("plan", *form, path, *options)
        text += f"$ tenon plan {' '.join([*form, path])}\n{ended.out}"
        text += "".join(f"stderr: {line}\n" for line in ended.err.splitlines())
        text += f"exit code {ended.code}\n\n"
    golden = PLANS / f"{name}.txt"
    if os.environ.get("TENON_WRITE_PLANS"):
        golden.write_text(text)
    difference = difflib.unified_diff(golden.read_text().splitlines(), text.splitlines(), "expected", "printed", lineterm="")
    assert golden.read_text() == text, "\n".join(difference)


def example(t, name):
    (t.folder / "build").mkdir()
    (t.folder / "build/examples").symlink_to(REPOSITORY / "build/examples")
    folder = t.folder / "examples" / name
    (folder / "data").mkdir(parents=True)
    (folder / "tenon.toml").write_text((REPOSITORY / "examples" / name / "tenon.toml").read_text())
    compare(t, name, f"examples/{name}")


def guests(t, name, text):
    """A manifest whose sources are guests: `guests/caller.wasm`; or files of the test."""
    (t.folder / "guests").symlink_to(t.guests)
    t.file("tenon.toml", text)
    compare(t, name, "tenon.toml")


def component(name, source, more=""):
    return f'[components.{name}]\nsource = "{source}.wasm"\n{more}'


# -- Examples


def test_blobby_is_planned_as_before(t):
    example(t, "blobby")


def test_polyglot_is_planned_as_before(t):
    example(t, "polyglot")


def test_webapp_is_planned_as_before(t):
    example(t, "webapp")


def test_isolated_is_planned_as_written(t):
    example(t, "isolated")


# -- Workloads that are fine


def test_a_pair_is_planned_as_before(t):
    guests(t, "pair", component("front", "guests/caller_std") + component("back", "guests/callee_std"))


def test_a_component_alone_is_planned_as_before(t):
    (t.folder / "guests").symlink_to(t.guests)
    compare(t, "alone", "guests/hello.wasm")


def test_own_instances_are_planned_as_before(t):
    step = "tenon:bench/step@0.1.0"
    own = '[components.{}.links]\n"' + step + '" = {{ to = "{}", instance = "own" }}\n'
    guests(t, "own", component("first", "guests/chain", own.format("first", "relay"))
           + component("second", "guests/chain", f'links = {{ "{step}" = "end" }}\n')
           + component("relay", "guests/relay", own.format("relay", "end"))
           + component("end", "guests/callee"))


def test_routes_and_grants_are_planned_as_before(t):
    (t.folder / "data").mkdir()
    guests(t, "routes", 'name = "site"\ntimeout = "1500ms"\nmax-memory = "64M"\n'
           + component("web", "guests/http_hello", 'allow-http = ["example.com"]\nenv = { LOG = "info" }\n')
           + component("api", "guests/http_hello", 'dirs = [{ host = "data", guest = "/data", access = "read" }]\n')
           + component("idle", "guests/types", 'allow-net = ["10.0.0.0/8:5432"]\nconfig = { a = "b" }\n')
           + '[http.routes]\n"/" = "web"\n"/api" = "api"\n"*.example.com" = "api"\n')


def test_who_answers_without_routes_is_planned_as_before(t):
    guests(t, "answers", component("web", "guests/http_hello") + component("idle", "guests/types"))


def test_two_that_answer_are_planned_as_before(t):
    guests(t, "two_answer", component("web", "guests/http_hello") + component("api", "guests/http_hello"))


def test_functions_resources_and_modules_are_planned_as_before(t):
    for name, text in (("sum", SUM), ("increment", INCREMENT), ("user", USES_RESOURCE), ("owner", HAS_RESOURCE),
                       ("lib", MODULE), ("loads", USES_MODULE)):
        t.component(name, text)
    t.component("typed", """(component
      (import "x:y/types@1.0.0" (instance $t (type $p' (record (field "x" u32))) (export "p" (type $p (eq $p')))))
      (type $u u32) (import "plain" (type $plain (eq $u))))""")
    guests(t, "kinds", component("inc", "increment", 'links = { add = { to = "sum", item = "sum" } }\n')
           + component("sum", "sum") + component("user", "user") + component("owner", "owner") + component("lib", "lib")
           + component("loads", "loads") + component("typed", "typed"))


def test_isolated_links_are_planned_as_written(t):
    step = "tenon:bench/step@0.1.0"
    link = '[components.{}.links]\n"' + step + '" = {{ to = "{}", via = "isolated"{} }}\n'
    more = (', timeout = "50ms", max-memory = "16M", '
            'instances = { policy = "pooled", max = 4, max-calls = 1000, idle = "30s" }')
    guests(t, "isolated_links", component("first", "guests/chain", link.format("first", "relay", more))
           + component("second", "guests/chain", link.format("second", "relay", ""))
           + component("relay", "guests/relay") + component("end", "guests/callee"))


# -- Workloads that are not


def test_what_is_missing_is_told_as_before(t):
    (t.folder / "guests").symlink_to(t.guests)
    compare(t, "missing", "guests/relay.wasm")


def test_all_problems_are_told_as_before(t):
    t.component("wants", """(component
      (import "wasi:cli/environment@0.2.6" (instance (export "get-nothing" (func (result u32)))))
      (import "wasi:clocks/monotonic-clock@0.3.0" (instance (export "now" (func (result u64))))))""")
    t.component("other", STEP_OF_OTHER_TYPE)
    guests(t, "problems", component("front", "guests/caller", 'links = { "tenon:bench/api@0.1.0" = "bck" }\n')
           + component("back", "guests/types_through", 'links = { "tenon:types/ech@1.0.0" = "front" }\n')
           + component("itself", "guests/chain", 'links = { "tenon:bench/step@0.1.0" = "itself" }\n')
           + component("many", "guests/chain") + component("end", "guests/callee") + component("relay", "guests/relay")
           + component("wants", "wants") + '[http.routes]\n"/" = "end"\n')


def test_what_isolated_links_cannot_do_is_told(t):
    t.component("user", USES_RESOURCE)
    t.component("owner", HAS_RESOURCE)
    step = "tenon:bench/step@0.1.0"
    link = 'links = {{ "' + step + '" = {{ to = "end", {} }} }}\n'
    guests(t, "isolated_problems", component("user", "user", """links = { thing = { to = "owner", via = "isolated" } }\n""")
           + component("owner", "owner") + component("end", "guests/callee")
           + component("a", "guests/chain", link.format('timeout = "1s"'))
           + component("b", "guests/chain", link.format('via = "isolated", instances = { policy = "fresh", max-calls = 2 }'))
           + component("c", "guests/chain", link.format('via = "isolated", instances = { policy = "reused", max = 2 }')))


def test_via_is_one_of_its_words(t):
    step = "tenon:bench/step@0.1.0"
    vias = ("isolatd", "duplex", "channel", "nearest", "wrpc+tcp://127.0.0.1:7761", "elsewhere")
    guests(t, "vias", component("end", "guests/callee") + "".join(
        component(f"c{i}", "guests/chain", f'links = {{ "{step}" = {{ to = "end", via = "{via}" }} }}\n')
        for i, via in enumerate(vias)))


def test_types_that_differ_are_told_as_before(t):
    t.component("other", STEP_OF_OTHER_TYPE)
    t.component("wants", """(component
      (import "wasi:cli/environment@0.2.6" (instance (export "get-nothing" (func (result u32))))))""")
    guests(t, "types_differ", component("head", "guests/relay") + component("other", "other") + component("wants", "wants"))


def test_a_cycle_is_told_as_before(t):
    step = '[components.{}.links]\n"tenon:bench/step@0.1.0" = "{}"\n'
    guests(t, "cycle", component("a", "guests/relay", step.format("a", "b")) + component("b", "guests/relay", step.format("b", "a")))
