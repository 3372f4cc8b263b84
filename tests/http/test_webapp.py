"""Workloads behind HTTP: examples/webapp, two components in one request."""

import json

from serving import Serving


def webapp(t, name="front"):
    """The example with a folder of the test's own for its notes."""
    built = t.guests.parent / "examples/webapp"
    data = t.folder / "data"
    data.mkdir()
    t.file("tenon.toml", f"""
name = "webapp"
[components.{name}]
source = "{built}/front.wasm"
[components.store]
source = "{built}/store.wasm"
dirs = [{{ host = "data", guest = "/notes" }}]
""")
    return data


def test_a_page_and_its_store_answer_as_one(t):
    data = webapp(t)
    with Serving(t, t.folder) as server, server.client() as client:
        assert "<title>Notes</title>" in client.get("/").text
        assert client.get("/api/notes").text == "[]"
        for text in (b"buy tea", 'call "Ada" \u00e4'.encode()):
            client.request("POST", "/api/notes", body=text)
            assert client.read_answer().status == 201
        notes = json.loads(client.get("/api/notes").text)
        assert notes == [{"id": 1, "text": "buy tea"}, {"id": 2, "text": 'call "Ada" \u00e4'}], notes
        assert sorted(path.name for path in data.iterdir()) == ["1", "2"]
        client.request("DELETE", "/api/notes/1")
        assert client.read_answer().status == 200
        client.request("DELETE", "/api/notes/1")
        assert client.read_answer().status == 404
        client.request("POST", "/api/notes", body=b" ")
        assert client.read_answer().status == 400


def test_a_workload_without_a_handler_is_refused(t):
    built = t.guests.parent / "examples/webapp"
    t.file("tenon.toml", f'name = "x"\n[components.store]\nsource = "{built}/store.wasm"\n')
    t("serve", t.folder).refused(126, "incoming-handler")
    t("serve", "--component", "nobody", t.folder).refused(125, "there is no component 'nobody'")
