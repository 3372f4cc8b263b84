"""Servers as people write them (tests/guests/wstd, cpp/web.cc), asked with curl."""

import hashlib
import json
import subprocess

from serving import Serving
from upstream import Upstream, certificate, plain


def curl(*words, input=None):
    done = subprocess.run(["curl", "-sS", "--max-time", "60", *words], input=input, capture_output=True)
    assert done.returncode == 0, done
    return done.stdout


def curl_json(*words):
    """The status and what the body says."""
    body, status = curl("-w", "\n%{http_code} %{content_type}", *words).rsplit(b"\n", 1)
    assert status.endswith(b" application/json"), (status, body)
    return int(status.split()[0]), json.loads(body)


def test_a_json_api_answers(t):
    with Serving(t, "@http_api") as server:
        status, books = curl_json(f"{server.url}/books")
        assert status == 200 and [book["id"] for book in books] == [1, 2, 3], books
        assert [b["id"] for b in curl_json(f"{server.url}/books?author=Lovelace")[1]] == [1, 3]
        assert curl_json(f"{server.url}/books/2")[1]["author"] == "Hopper"
        assert curl_json(f"{server.url}/books/7") == (404, {"error": "there is no such book"})
        answer = curl_json("-d", '{"values": [1, 2.5, 3]}', f"{server.url}/statistics")
        assert answer == (200, {"count": 3, "sum": 6.5, "mean": 6.5 / 3}), answer
        assert curl_json("-d", '{"values": []}', f"{server.url}/statistics")[1]["mean"] is None
        for bad in ('{"values": [1,', '{"value": [1]}', "", "[" * 100_000):
            status, answer = curl_json("-d", bad, f"{server.url}/statistics")
            assert status == 400 and answer["error"], (bad[:20], answer)
        assert curl_json("-X", "DELETE", f"{server.url}/books")[0] == 405
        assert curl_json(f"{server.url}/nowhere")[0] == 404


def test_a_file_server_streams(t):
    site = t.folder / "site"
    (site / "sub").mkdir(parents=True)
    (site / "index.html").write_text("<h1>home</h1>")
    (site / "sub/note.txt").write_text("a note")
    (t.folder / "secret").write_text("secret")
    (site / "out").symlink_to("../secret")
    large = bytes(range(256)) * 1024 * 400  # 100 MiB
    (site / "large.bin").write_bytes(large)
    with Serving(t, "@http_files", "--dir", f"{site}::/site:ro") as server:
        assert curl(f"{server.url}/") == b"<h1>home</h1>"
        head = curl("-i", f"{server.url}/sub/note.txt").decode()
        assert "content-type: text/plain" in head and head.endswith("a note"), head
        head = curl("-I", f"{server.url}/large.bin").decode()
        assert f"content-length: {len(large)}" in head.lower(), head
        before = server.memory()
        assert hashlib.sha256(curl(f"{server.url}/large.bin")).digest() == hashlib.sha256(large).digest()
        assert server.memory() - before < 20_000, (before, server.memory())
        for path in ("/nowhere", "/sub", "/sub/../../secret", "/out", "//etc/passwd"):
            status = curl("-o", "/dev/null", "-w", "%{http_code}", "--path-as-is", server.url + path)
            assert status in (b"403", b"404"), (path, status)
        assert curl("-o", "/dev/null", "-w", "%{http_code}", "-d", "x", server.url + "/") == b"405"


def test_a_proxy_streams_both_ways(t):
    large = bytes(range(256)) * 1024 * 80  # 20 MiB

    def answer(head, body):
        if head.startswith("GET /large"):
            return b"HTTP/1.1 200 OK\r\nX-Up: 1\r\nContent-Length: %d\r\n\r\n" % len(large) + large
        if head.startswith("POST /echo"):
            return b"HTTP/1.1 201 Made\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        if head.startswith("GET /slow"):
            return [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n", 30.0]
        return plain(head.split("\r\n")[0])

    with Upstream(answer) as up:
        options = ["--allow-http", "127.0.0.1:*", "--env", f"UPSTREAM=http://127.0.0.1:{up.port}"]
        with Serving(t, "@http_proxy", *options) as server:
            assert curl(f"{server.url}/a/b?c=d") == b"GET /a/b?c=d HTTP/1.1"
            assert hashlib.sha256(curl(f"{server.url}/large")).digest() == hashlib.sha256(large).digest()
            sent = curl("-H", "Transfer-Encoding:", "--data-binary", "@-", f"{server.url}/echo", input=b"data" * 1000)
            assert b"data" * 100 in sent, sent[:100]
            assert "via: 1.1 tenon" in curl("-i", f"{server.url}/x").decode()
            # What has arrived is passed on before the rest is there.
            with server.client() as client:
                client.request("GET", "/slow")
                while b"first" not in client.buffer:
                    assert client.fill()
        with Serving(t, "@http_proxy", *options[2:]) as server:
            assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{server.url}/") == b"502"


def test_a_proxy_speaks_tls_to_the_server_behind(t):
    pair = certificate(t.folder)
    with Upstream(lambda *_: plain("secret"), pair) as up:
        options = ["--allow-http", "localhost:*", "--env", f"UPSTREAM=https://localhost:{up.port}"]
        with Serving(t, "@http_proxy", *options, "--http-roots", pair[0]) as server:
            assert curl(f"{server.url}/") == b"secret"


def test_a_cpp_component_answers_and_streams(t):
    with Serving(t, "@c_web") as server:
        assert curl(f"{server.url}/") == b"Hello from C++\n"
        assert curl("-X", "BREW", f"{server.url}/method") == b"BREW\n"
        assert curl("-X", "PATCH", f"{server.url}/method") == b"PATCH\n"
        data = b"shout, please " * 100_000
        assert curl("--data-binary", "@-", f"{server.url}/upper", input=data) == data.upper()
        assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{server.url}/nowhere") == b"404"
        with server.client() as client:  # while the request goes on
            client.send("POST /upper HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
            while b"HELLO" not in client.buffer:
                assert client.fill()
            client.send("again")
            while b"AGAIN" not in client.buffer:
                assert client.fill()
