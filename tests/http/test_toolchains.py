"""Servers that other toolchains make: JavaScript's `fetch` events, Python."""

import json

from harness import both_links
from serving import Serving
from upstream import Upstream, plain


def common(server, language):
    answer = server.get("/")
    assert answer.status == 200 and answer.text == f"Hello from {language}\n", answer
    assert answer.field("content-type") == "text/plain", answer
    answer = server.post("/json", b'{"name": "Ada"}', [("Content-Type", "application/json")])
    assert json.loads(answer.text)["hello"] == "Ada", answer


@both_links
def test_a_javascript_component_answers_and_fetches(t):
    with Upstream(lambda *_: plain("from upstream")) as up:
        with Serving(t, "@js_web", "--allow-http", "127.0.0.1:*") as server:
            common(server, "JavaScript")
            answer = server.get(f"/fetch?url=http://127.0.0.1:{up.port}/")
            assert answer.text == "from upstream" and answer.field("x-through") == "js", answer


@both_links
def test_a_python_component_answers(t):
    with Serving(t, "@py_web") as server:
        common(server, "Python")
        data = bytes(range(256)) * 1000
        assert server.post("/echo", data).body == data
        assert server.get("/nowhere").status == 404
        assert server.get("/raise").status == 500
