"""The examples blobby and polyglot, as their READMEs have them."""

import json
import pathlib
import re

from harness import lock

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
COMPONENTS = REPOSITORY / "build/examples"


def blobby(t):
    """The example's manifest, with a directory of the test's own."""
    text = (REPOSITORY / "examples/blobby/tenon.toml").read_text()
    (t.folder / "data").mkdir(exist_ok=True)
    return t.file("tenon.toml", text.replace("../../build/examples", str(COMPONENTS)))


# -- blobby


def test_blobby_stores_and_gives_back(t):
    manifest = blobby(t)
    ended = t("run", "--no-prefix", manifest, "tour").succeeded()
    assert "      73  poems/haiku\n   17000  poems/long/epic.txt\n" in ended.out, str(ended)
    assert "A frog jumps into the pond,\n" in ended.out, str(ended)
    assert (t.folder / "data/poems/haiku").read_bytes().startswith(b"An old silent pond")
    t("run", "--no-prefix", manifest, "get", "poems", "haiku").succeeded((t.folder / "data/poems/haiku").read_text())


def test_blobby_streams_bytes_of_any_size(t):
    manifest = blobby(t)
    data = bytes(range(256)) * 2000
    t("run", "--no-prefix", manifest, "put", "big", "bytes", input=data).succeeded("")
    assert t("run", "--no-prefix", manifest, "get", "big", "bytes").succeeded().raw_out == data
    assert t("run", "--no-prefix", manifest, "range", "big", "bytes", 250, 259).succeeded().raw_out == data[250:260]
    assert t("run", "--no-prefix", manifest, "range", "big", "bytes", 511_990, 10**15).succeeded().raw_out == data[511_990:]
    t("run", "--no-prefix", manifest, "put", "big", "none", input=b"").succeeded("")
    t("run", "--no-prefix", manifest, "get", "big", "none").succeeded("")


def test_blobby_lists_copies_moves_and_removes(t):
    manifest = blobby(t)
    t("run", "--no-prefix", manifest, "put", "a", "one", "1").succeeded("")
    t("run", "--no-prefix", manifest, "copy", "a", "one", "two").succeeded("")
    t("run", "--no-prefix", manifest, "move", "a", "one", "three").succeeded("")
    t("run", "--no-prefix", manifest, "list", "a").succeeded("       1  a/three\n       1  a/two\n")
    t("run", "--no-prefix", manifest, "remove", "a", "three", "not-there").succeeded("")
    t("run", "--no-prefix", manifest, "list", "a").succeeded("       1  a/two\n")
    t("run", "--no-prefix", manifest, "destroy", "a").succeeded("")
    assert not list((t.folder / "data").iterdir()), list((t.folder / "data").iterdir())


def test_blobby_errors_come_through_both_components(t):
    manifest = blobby(t)
    ended = t("run", "--no-prefix", manifest, "get", "nowhere", "x").exited(1)
    assert "importer: there is no container 'nowhere'\n" in ended.err, str(ended)
    t("run", "--no-prefix", manifest, "put", "a", "b", "").succeeded("")
    assert "there is no object 'c'" in t("run", "--no-prefix", manifest, "get", "a", "c").exited(1).err


def test_blobby_names_lead_nowhere_else(t):
    manifest = blobby(t)
    outside = t.file("secret", "secret")
    for name in ("../secret", "..", "/etc/passwd", ".hidden", "a/b\\c", "%2e%2e", "dir/../../secret", "Grüße\n"):
        t("run", "--no-prefix", manifest, "put", "odd", name, name).succeeded("")
        t("run", "--no-prefix", manifest, "get", "odd", name).succeeded(name)
        assert "no container" in t("run", "--no-prefix", manifest, "get", name, "x").exited(1).err
    assert outside.read_text() == "secret"
    assert {path.name for path in (t.folder / "data").iterdir()} == {"odd"}
    assert len(list((t.folder / "data/odd").iterdir())) == 8


def test_only_the_store_has_the_directory(t):
    manifest = blobby(t)
    ended = t("run", "--no-prefix", manifest, "look", "/blobs").exited(1)
    assert ended.out == "" and "/blobs" in ended.err, str(ended)


def test_the_host_knows_nothing_of_blobs(t):
    ended = t("run", COMPONENTS / "blobby/importer.wasm", "tour").exited(125)
    assert "wasi:blobstore" in ended.err, str(ended)
    plan = json.loads(t("plan", "--json", blobby(t)).succeeded().out)
    store, importer = plan["components"]
    assert (store["name"], importer["name"]) == ("store", "importer"), plan
    assert importer["program"] and not store["program"], plan
    fused = {link["import"]: link["component"] for link in importer["imports"] if link["cost"] == "fused"}
    assert fused == {f"wasi:blobstore/{name}@0.2.0-draft": "store" for name in ("types", "container", "blobstore")}, plan
    assert {link["cost"] for link in store["imports"]} == {"host", "types"}, plan


def test_blobby_says_what_a_call_costs(t):
    ended = t("run", "--no-prefix", blobby(t), "time", 1000).succeeded()
    assert len(re.findall(r"^ +[0-9]+\.[0-9] ns  [a-z-]+\.(size|name) ", ended.out, re.MULTILINE)) == 2, str(ended)


# -- polyglot

POLYGLOT = REPOSITORY / "examples/polyglot"
NORWAY = """\
Norway: as measured
  7 readings from Bergen, Bodø, Oslo, Vardø.
  The mean is -1.9 °C, the median 1.5 °C, give or take 8.3.
  Vardø stands out with -21.0 °C.
Norway: smoothed
  7 readings from Bergen, Bodø, Oslo, Vardø.
  The mean is -2.3 °C, the median 0.3 °C, give or take 4.0.
  Bodø stands out with -9.5 °C.
Warmest of the 7 smoothed: Oslo, 1.67 °C
"""


@lock("polyglot")  # the first one compiles two script engines
def test_polyglot_reports_through_four_languages(t):
    t("run", "--no-prefix", POLYGLOT).succeeded(NORWAY)
    given = ["Oslo=-3.5", "Bergen=4", "Bodø=1.5", "Oslo=-2", "Bergen=5.5", "Vardø=-21", "Bodø=2"]
    t("run", "--no-prefix", POLYGLOT, *given).succeeded(NORWAY)
    t("run", "--no-prefix", POLYGLOT, "-", input="\n".join(given)).succeeded(NORWAY)


@lock("polyglot")
def test_polyglot_takes_nothing_and_refuses_what_is_no_reading(t):
    assert "0 readings from ." in t("run", "--no-prefix", POLYGLOT, "-", input="").succeeded().out
    ended = t("run", "--no-prefix", POLYGLOT, "Oslo").exited(1)
    assert "report: 'Oslo' is not STATION=CELSIUS\n" in ended.err, str(ended)


def test_the_plan_of_polyglot_is_a_chain_of_four(t):
    plan = json.loads(t("plan", "--json", POLYGLOT).succeeded().out)
    fused = {component["name"]: link["component"] for component in plan["components"] for link in component["imports"]
             if link["cost"] == "fused"}
    assert fused == {"report": "analysis", "analysis": "prose", "prose": "statistics"}, plan
    costs = {link["import"]: link["cost"] for component in plan["components"] for link in component["imports"]}
    assert costs["polyglot:weather/types@1.0.0"] == "types", plan
    assert plan["unreached"] == [], plan
